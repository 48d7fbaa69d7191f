import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContentCoding, compileCodingChoice } from '../../src/message/accept-encoding.ts';

const compileChooser = (offered: readonly ContentCoding[]) => {
  const choose = compileCodingChoice(offered);
  return (value: string) => choose(['Accept-Encoding', value]);
};
const all: readonly ContentCoding[] = ['br', 'zstd', 'gzip'];

describe('the choice of a coding', () => {
  it.each<[acceptEncoding: string, chosen: ReturnType<ReturnType<typeof compileCodingChoice>>]>([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['zstd', 'zstd'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['deflate, compress', 'identity'],
    ['*', 'br'],
    ['*;q=0', 'identity'],
    ['*;q=0, gzip', 'gzip'],
    ['br;q=0, *', 'zstd'],
    ['br;q=0, zstd;q=0, *;q=0.1', 'gzip'],
    ['br;q=0.5, gzip;q=0.9', 'gzip'],
    ['br;q=0.5, gzip;q=0.5', 'br'],
    ['br;q=0', 'identity'],
    ['gzip;q=0.000', 'identity'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip ; q=1.000 , br ;\tq=0.999', 'gzip'],
    ['gzip;Q=0.5', 'gzip'],
    ['identity;q=0.5, gzip;q=0.4', 'identity'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['gzip, identity', 'gzip'],
    ['identity;q=0', 'identity'],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0, *', 'br'],
    ['identity;q=1, *;q=0.1', 'identity'],
  ])('answers "%s" with %s', (acceptEncoding, chosen) => {
    expect(compileChooser(all)(acceptEncoding)).toBe(chosen);
  });

  it('takes the order of the server where the client has none', () => {
    expect(compileChooser(['gzip', 'br'])('br, gzip, zstd')).toBe('gzip');
    expect(compileChooser(['zstd', 'gzip'])('br, gzip, zstd')).toBe('zstd');
  });

  it.each([
    'gzip;q=2',
    'gzip;q=-1',
    'gzip;q=',
    'gzip;q=1.0000',
    'gzip;q=0.1234',
    'gzip;q=NaN',
    'gzip;x=1',
    'gzip;q=1;q=1',
    'gz ip',
    'gzip\0',
    '"gzip"',
    ';q=1',
    ',,,,',
    '__proto__',
    'constructor, toString, hasOwnProperty',
    `${'gzip;q=0.001,'.repeat(100)}gzip`,
    `gzip${' '.repeat(5_000)}`,
    ','.repeat(60_000),
  ])('leaves the body as it is for "%s"', (acceptEncoding) => {
    expect(compileChooser(all)(acceptEncoding)).toBe('identity');
  });

  it('passes over a malformed item, and hears the others', () => {
    expect(compileChooser(all)('br;q=huge, \x01, gzip')).toBe('gzip');
  });

  it('says the same of any value whenever it is asked, however many values there are', () => {
    const choose = compileChooser(all);
    const weight = fc.constantFrom('', ';q=0', ';q=0.3', ';q=1', ';q=x', '; q=0.9');
    const coding = fc.constantFrom('br', 'gzip', 'zstd', 'identity', '*', 'deflate', 'x-gzip', '');
    const value = fc
      .array(fc.tuple(coding, weight))
      .map((items) => items.map((item) => item.join('')).join(', '));
    const property = fc.property(value, (text) => {
      expect(choose(text)).toBe(compileChooser(all)(text));
      expect(choose(text)).toBe(compileChooser(all)(text));
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});
