import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange } from '../../src/message/range.ts';

describe('parseRange', () => {
  it.each([
    ['bytes=0-0', 10, { first: 0, last: 0 }],
    ['bytes=0-', 10, { first: 0, last: 9 }],
    ['bytes=9-9', 10, { first: 9, last: 9 }],
    ['bytes=3-100', 10, { first: 3, last: 9 }],
    ['bytes=-1', 10, { first: 9, last: 9 }],
    ['bytes=-10', 10, { first: 0, last: 9 }],
    ['bytes=-11', 10, { first: 0, last: 9 }],
    ['Bytes= 1-2 ', 10, { first: 1, last: 2 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-5', 0, null],
    ['bytes=5-4', 10, null],
    ['bytes=50-40', 10, null],
    ['bytes=', 10, null],
    ['bytes=-', 10, null],
    ['bytes=--1', 10, null],
    ['bytes=1', 10, null],
    ['bytes=+1-2', 10, null],
    ['bytes=0x1-2', 10, null],
    ['bytes=1-2,3-4', 10, null],
    ['bytes 1-2', 10, null],
    ['seconds=1-2', 10, null],
    ['', 10, null],
  ] as const)('%j of %d bytes', (value, size, expected) => {
    expect(parseRange(value, size)).toEqual(expected);
  });

  it('V18: is not fooled by numbers beyond 2^53 and 2^64', () => {
    expect(parseRange('bytes=0-18446744073709551615', 10)).toEqual({ first: 0, last: 9 });
    expect(parseRange('bytes=18446744073709551616-', 10)).toBe('unsatisfiable');
    expect(parseRange('bytes=-9223372036854775808', 10)).toEqual({ first: 0, last: 9 });
    expect(parseRange(`bytes=${'9'.repeat(8_000)}-`, 10)).toBe('unsatisfiable');
    expect(parseRange(`bytes=0-${'9'.repeat(8_000)}`, 10)).toEqual({ first: 0, last: 9 });
  });

  it('V18: never gives a byte that is not there', () => {
    const part = fc.oneof(
      fc.nat(30).map(String),
      fc.constantFrom('', '-', ' ', ',', 'x', '99999999999999999999'),
    );
    const value = fc
      .tuple(part, fc.constantFrom('-', '--', ''), part)
      .map(([a, dash, b]) => `bytes=${a}${dash}${b}`);
    fc.assert(
      fc.property(value, fc.nat(20), (text, size) => {
        const range = parseRange(text, size);
        if (range === null || range === 'unsatisfiable') return true;
        return range.first >= 0 && range.first <= range.last && range.last < size;
      }),
    );
  });
});
