// Reads Accept-Encoding (RFC 9110 12.5.3) and picks a content coding. Browsers send a handful of values, so what a
// value leads to is remembered.

/** A content coding that this room can apply, as it is written in Content-Encoding. */
export type Encoding = 'br' | 'zstd' | 'gzip';

/** Picks the coding for a value of Accept-Encoding; null for none. */
export type ChooseEncoding = (acceptEncoding: string) => Encoding | null;

const acceptedItem =
  /^[\t ]*([!#$%&'*+.^_`|~0-9a-z-]+)[\t ]*(?:;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[\t ]*)?$/i;

// No client needs more to name its codings: what is longer is answered plainly, and costs nothing to read.
const maxValueLength = 1_024;
const maxRemembered = 256;
const maxRememberedLength = 128;

/**
 * Compiles the server's codings, the most wanted first. The client's highest weight wins, then the server's order.
 * A coding goes before identity unless the client gives identity a higher weight. Items that are malformed count as
 * absent; "x-gzip" is gzip (RFC 9110 8.4.1.3).
 */
export function compileChooser(encodings: readonly Encoding[]): ChooseEncoding {
  const remembered = new Map<string, Encoding | null>();
  return (acceptEncoding) => {
    const known = remembered.get(acceptEncoding);
    if (known !== undefined) return known;
    const { length } = acceptEncoding;
    if (length > maxValueLength) return null;
    const chosen = chooseEncoding(encodings, parseWeights(acceptEncoding));
    if (length <= maxRememberedLength) {
      // Values are a stranger's to choose.
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(acceptEncoding, chosen);
    }
    return chosen;
  };
}

function parseWeights(acceptEncoding: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of acceptEncoding.split(',')) {
    const match = acceptedItem.exec(item);
    if (match === null) continue;
    const coding = match[1].toLowerCase();
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}

function chooseEncoding(
  encodings: readonly Encoding[],
  weights: ReadonlyMap<string, number>,
): Encoding | null {
  const others = weights.get('*') ?? 0;
  let chosen: Encoding | null = null;
  let best = 0;
  for (const encoding of encodings) {
    const weight = weights.get(encoding) ?? others;
    if (weight <= best) continue;
    chosen = encoding;
    best = weight;
  }
  return best < (weights.get('identity') ?? 0) ? null : chosen;
}
