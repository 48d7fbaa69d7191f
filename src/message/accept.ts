// Chooses a media type by Accept (RFC 9110 12.5.1).

const item = /^([!#$%&'*+\-.^_`|~0-9a-z]+)\/([!#$%&'*+\-.^_`|~0-9a-z]+)$/;
const quality = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** Items of the field that are looked at: what comes later is an attack or nonsense. */
const maxItems = 64;

/**
 * The type, of those offered ("text/html", in lower case and without parameters), that the field prefers: the highest
 * quality wins, then the more specific item, then the order of `offered`. The first one when none is acceptable, or when
 * there is no field. The most specific item that fits a type counts for it; parameters of items are ignored.
 */
export function chooseMediaType<T extends string>(accept: string | undefined, offered: readonly T[]): T {
  if (accept === undefined) return offered[0];
  const qualities = parseQualities(accept);
  let chosen = offered[0];
  let best = 0;
  for (const type of offered) {
    const weight = weigh(qualities, type);
    if (weight <= best) continue;
    chosen = type;
    best = weight;
  }
  return chosen;
}

/** Of types that are equally welcome the one that is named comes before one that is merely not excluded. */
function weigh(qualities: ReadonlyMap<string, number>, type: string): number {
  const ranges = [type, `${type.split('/', 1)[0]}/*`, '*/*'];
  const found = ranges.findIndex((range) => qualities.has(range));
  const quality = qualities.get(ranges[found]) ?? 0;
  return quality === 0 ? 0 : quality * 10_000 - found;
}

function parseQualities(accept: string): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const text of accept.toLowerCase().split(',', maxItems)) {
    const [range, ...parameters] = text.split(';').map((part) => part.trim());
    if (!item.test(range)) continue;
    const written = parameters.find((parameter) => parameter.startsWith('q='));
    const match = written === undefined ? null : quality.exec(written);
    if (written !== undefined && match === null) continue;
    const found = match === null ? 1 : Number(match[1]);
    qualities.set(range, Math.max(found, qualities.get(range) ?? 0));
  }
  return qualities;
}
