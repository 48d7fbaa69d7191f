import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteRange, parseRanges } from '../../src/message/range.ts';

function parseRange(value: string, size: number) {
  const ranges = parseRanges(value, size);
  return ranges !== null && ranges !== 'unsatisfiable' && ranges.length === 1 ? ranges[0] : ranges;
}

function write(ranges: readonly ByteRange[] | string | null): string | null {
  if (ranges === null || typeof ranges === 'string') return ranges as string | null;
  return ranges.map(({ first, last }) => `${first}-${last}`).join(' ');
}

describe('parseRanges', () => {
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
    ['bytes=1-2,3-4', 10, { first: 1, last: 4 }],
    ['bytes=1-2,3-x', 10, null],
    ['bytes=1-2,4-3', 10, null],
    ['bytes=1-2,', 10, { first: 1, last: 2 }],
    ['bytes=,', 10, null],
    ['bytes=1-2,50-', 10, { first: 1, last: 2 }],
    ['bytes=60-,50-', 10, 'unsatisfiable'],
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
        const ranges = parseRanges(text, size);
        if (ranges === null || ranges === 'unsatisfiable') return true;
        return ranges.every(({ first, last }) => first >= 0 && first <= last && last < size);
      }),
    );
  });

  it.each([
    ['bytes=0-99,500-599', '0-99 500-599'],
    ['bytes=500-599,0-99', '500-599 0-99'],
    ['bytes=0-99,-100', '0-99 9900-9999'],
    ['bytes=0-99,100-199', '0-199'],
    ['bytes=0-99,50-149,5000-5001', '0-149 5000-5001'],
    ['bytes=5000-5001,50-149,0-99', '0-149 5000-5001'],
    ['bytes=0-99, 150-199', '0-199'],
    ['bytes=0-99,180-199', '0-99 180-199'],
    ['bytes=0-9999,0-9999', '0-9999'],
    ['bytes=0-4999,5100-9999', null],
  ])('several: %j', (value, expected) => {
    expect(write(parseRanges(value, 10_000))).toBe(expected);
  });

  it('V18: a thousand ranges, or parts that are more than the whole, come to the whole', () => {
    expect(parseRanges(`bytes=${'0-9,'.repeat(1_000)}0-`, 10)).toBeNull();
    const spread = Array.from({ length: 60 }, (_, i) => `${i * 100}-${i * 100}`).join();
    expect(parseRanges(`bytes=${spread}`, 10_000)).toBeNull();
    expect(parseRanges(`bytes=${spread}`, 1_000_000)).toHaveLength(60);
  });

  it('V18: several ranges never overlap, and hold less than the whole', () => {
    const spec = fc.tuple(fc.nat(20_000), fc.nat(3_000)).map(([first, more]) => `${first}-${first + more}`);
    fc.assert(
      fc.property(fc.array(spec, { minLength: 2, maxLength: 20 }), fc.nat(20_000), (specs, size) => {
        const ranges = parseRanges(`bytes=${specs.join(', ')}`, size);
        if (ranges === null || ranges === 'unsatisfiable') return true;
        const ascending = [...ranges].sort((a, b) => a.first - b.first);
        const isApart = ascending.every((range, i) => i === 0 || range.first > ascending[i - 1].last);
        return isApart && ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) <= size;
      }),
    );
  });
});
