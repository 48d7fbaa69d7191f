// The Range field (RFC 9110 14.2), for bytes. Whoever asks for much in many pieces is given the whole, or fewer and
// larger pieces: what is sent is never more than the whole.

/** Positions of the first and the last byte, both included, as in Content-Range. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const rangeSpec = /^(\d*)-(\d*)$/;

/** More than any reader of parts asks for at once; beyond that it is an attack. */
const maxRanges = 64;

/** Ranges with a smaller gap are joined: the header of one more part is longer. */
const minGapBytes = 80;

/** What a part takes besides its bytes, at most. */
const partHeaderBytes = 256;

/**
 * The ranges asked for of `size` bytes, "unsatisfiable" (416), or null when the field is to be ignored and the whole
 * to be sent: another unit, malformed, too many ranges, or ranges that are together no less than the whole. None
 * overlaps another. They are in the order of the request, or ascending where some had to be joined.
 */
export function parseRanges(value: string, size: number): readonly ByteRange[] | 'unsatisfiable' | null {
  if (value.slice(0, 6).toLowerCase() !== 'bytes=') return null;
  const specs = value.slice(6).split(',', maxRanges + 1);
  if (specs.length > maxRanges) return null;
  const ranges: ByteRange[] = [];
  let isEmpty = true;
  for (const spec of specs) {
    const text = spec.trim();
    if (text === '') continue;
    isEmpty = false;
    const range = parseSpec(text, size);
    if (range === null) return null;
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (isEmpty) return null;
  if (ranges.length === 0) return 'unsatisfiable';
  return ranges.length === 1 ? ranges : joinRanges(ranges, size);
}

function parseSpec(spec: string, size: number): ByteRange | 'unsatisfiable' | null {
  const match = rangeSpec.exec(spec);
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  // Beyond 2^53 these lose digits, but they are beyond every size too.
  if (match[1] === '') return toSuffix(Number(match[2]), size);
  const first = Number(match[1]);
  const last = match[2] === '' ? Number.POSITIVE_INFINITY : Number(match[2]);
  if (first > last) return null;
  if (first >= size) return 'unsatisfiable';
  return { first, last: Math.min(last, size - 1) };
}

function toSuffix(length: number, size: number): ByteRange | 'unsatisfiable' | null {
  if (length === 0) return 'unsatisfiable';
  // Satisfiable by the letter, but Content-Range has no way to write a range of no bytes.
  if (size === 0) return null;
  return { first: Math.max(size - length, 0), last: size - 1 };
}

function joinRanges(ranges: readonly ByteRange[], size: number): readonly ByteRange[] | null {
  const joined: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before.last + minGapBytes) before.last = Math.max(before.last, last);
    else joined.push({ first, last });
  }
  if (joined.length > 1 && countPartBytes(joined) >= size) return null;
  return joined.length === ranges.length ? ranges : joined;
}

function countPartBytes(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1 + partHeaderBytes, 0);
}
