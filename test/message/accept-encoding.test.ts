import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContentCoding, chooseCoding, compileCodingChoice } from '../../src/message/accept-encoding.ts';

const all: ContentCoding[] = ['br', 'zstd', 'gzip'];

describe('chooseCoding', () => {
  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.5', 'br'],
    ['br;q=0.501, zstd;q=0.502', 'zstd'],
    ['br;q=0, *', 'zstd'],
    ['*', 'br'],
    ['*;q=0', 'identity'],
    ['*;q=0.1, gzip;q=0', 'br'],
    ['identity', 'identity'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity, gzip', 'gzip'],
    ['identity;q=0', 'identity'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0.000', 'identity'],
    ['gzip ; q=1.000', 'gzip'],
    ['gzip;q=2', 'identity'],
    ['gzip;q=-1, br;q=x', 'identity'],
    ['gzip;level=9', 'identity'],
    ['gzipped, brotli', 'identity'],
    ['', 'identity'],
    [', ,gzip,,', 'gzip'],
    ['gzip br', 'identity'],
  ] as const)('%j gets %s', (value, coding) => {
    expect(chooseCoding(value, all)).toBe(coding);
  });

  it('offers in the order it is told', () => {
    expect(chooseCoding('gzip, br, zstd', ['gzip', 'br'])).toBe('gzip');
    expect(chooseCoding('br', ['gzip'])).toBe('identity');
    expect(chooseCoding('br', [])).toBe('identity');
  });

  it('V20: takes any text, and V19: a long one at once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        ['identity', ...all].includes(chooseCoding(text, all)),
      ),
    );
    const startedAtMs = performance.now();
    for (const text of [',', ' ', ';q=0.', 'gzip;q=0 ', '*']) chooseCoding(text.repeat(13_000), all);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });
});

describe('compileCodingChoice', () => {
  it('reads the fields of a request, several as one', () => {
    const choose = compileCodingChoice(all);
    for (let i = 0; i < 200; i++) expect(choose(['Accept-Encoding', `gzip, x${i}`])).toBe('gzip');
    expect(choose(['Accept-Encoding', 'gzip', 'accept-encoding', 'br'])).toBe('br');
    expect(choose(['Accept-Encoding', 'gzip'])).toBe('gzip');
    expect(choose(['Accept', 'gzip'])).toBe('identity');
    expect(choose([])).toBe('identity');
  });
});
