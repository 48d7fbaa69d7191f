// The Range field (RFC 9110 14.2) for one range of bytes. Several ranges are answered with the whole, which the RFC
// allows and which leaves nothing to the overlapping-ranges attack.

/** Positions of the first and the last byte, both included, as in Content-Range. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const rangeSpec = /^(\d*)-(\d*)$/;

/**
 * The range asked for of `size` bytes, "unsatisfiable" (416), or null when the field is to be ignored: another
 * unit, malformed, several ranges, or a suffix of nothing.
 */
export function parseRange(value: string, size: number): ByteRange | 'unsatisfiable' | null {
  if (value.slice(0, 6).toLowerCase() !== 'bytes=') return null;
  const match = rangeSpec.exec(value.slice(6).trim());
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
