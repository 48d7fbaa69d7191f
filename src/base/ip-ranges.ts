// Sets of IP addresses, compiled once and asked per connection or request. IPv4 and IPv4-mapped IPv6 addresses are
// the same thing here, so neither spelling gets past a range of the other.

/** Tells whether a numeric address lies in a set. What is no address lies in none. */
export type IpRangeTest = (address: string) => boolean;

/** Bytes of an address that a range fixes. */
interface IpRange {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Compiles addresses ("10.1.2.3", "::1"), CIDR ranges ("10.0.0.0/8", "fd00::/8") and "unix:" (every unix socket) into
 * one test. Throws a RangeError that names the first entry that is none of these.
 */
export function compileIpRanges(entries: readonly string[]): IpRangeTest {
  if (entries.length === 0) return () => false;
  const hasUnix = entries.includes('unix:');
  const ranges = entries.filter((entry) => entry !== 'unix:').map(parseKnownRange);
  return (address) => {
    if (address.startsWith('unix:')) return hasUnix;
    const bytes = parseIpAddress(address);
    return bytes !== null && ranges.some((range) => holds(range, bytes));
  };
}

/** Whether a text is an entry that {@link compileIpRanges} takes. */
export function isIpRange(entry: string): boolean {
  return entry === 'unix:' || parseRange(entry) !== null;
}

/** The 16 bytes of an IPv6 address, or of an IPv4 address in its mapped form; null for anything else. */
export function parseIpAddress(text: string): Uint8Array | null {
  if (!text.includes(':')) {
    const bytes = parseIpv4(text);
    return bytes === null ? null : Uint8Array.from([...mappedPrefix, ...bytes]);
  }
  const zone = text.indexOf('%');
  return parseIpv6(zone === -1 ? text : text.slice(0, zone));
}

function parseKnownRange(entry: string): IpRange {
  const range = parseRange(entry);
  if (range === null) throw new RangeError(`${JSON.stringify(entry)} is no IP address or range`);
  return range;
}

function parseRange(entry: string): IpRange | null {
  const slash = entry.indexOf('/');
  const address = slash === -1 ? entry : entry.slice(0, slash);
  const bytes = address.includes('%') ? null : parseIpAddress(address);
  if (bytes === null) return null;
  if (slash === -1) return { bytes, bits: 128 };
  const size = entry.slice(slash + 1);
  // The bits of an IPv4 range are counted behind the mapped prefix.
  const offset = address.includes(':') ? 0 : 96;
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(size) || Number(size) > 128 - offset) return null;
  return { bytes, bits: Number(size) + offset };
}

function holds({ bytes, bits }: IpRange, address: Uint8Array): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (bytes[whole] ^ address[whole]) >> (8 - rest) === 0;
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split('.');
  // A leading zero means octal to some programs, so it means nothing here.
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const left = parseGroups(halves[0], halves.length === 1);
  const right = halves.length === 1 ? [] : parseGroups(halves[1], true);
  if (left === null || right === null) return null;
  const missing = 16 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...left, ...new Array<number>(missing).fill(0), ...right]);
}

/** The bytes of colon-separated groups; the last may be an IPv4 address when it ends the whole. */
function parseGroups(text: string, endsAddress: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const last = endsAddress && index === groups.length - 1;
    if (last && group.includes('.')) {
      const ipv4 = parseIpv4(group);
      return ipv4 === null ? null : [...bytes, ...ipv4];
    }
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 0xff);
  }
  return bytes;
}
