import { describe, expect, it } from 'vitest';
import {
  compressionShape,
  type WrittenCompression,
} from '../../../src/middleware/compression/compression-shape.ts';
import { mergeCompression } from '../../../src/middleware/compression/merge-compression.ts';

const parse = (value: unknown) => compressionShape.safeParse(value);

describe('the compress setting', () => {
  it.each([
    true,
    false,
    {},
    { encodings: ['gzip'] },
    { types: ['text/html', 'text/*', '*+json', '*'] },
    { minSize: '2k', cacheSize: 0 },
    { levels: { br: 0 }, keptLevels: { gzip: 9, zstd: 19 } },
  ])('may be %j', (value) => {
    expect(parse(value).success).toBe(true);
  });

  it.each([
    'on',
    { encodings: [] },
    { encodings: ['deflate'] },
    { types: ['html'] },
    { types: ['*a*/b'] },
    { types: ['text/html; charset=utf-8'] },
    { types: ['(a+)+/b'] },
    { minSize: '1 KB' },
    { levels: { gzip: 0 } },
    { levels: { br: 12 } },
    { level: 3 },
  ])('may not be %j', (value) => {
    expect(parse(value).success).toBe(false);
  });

  const merge = (...levels: unknown[]) =>
    mergeCompression(...levels.map((level) => compressionShape.parse(level) as WrittenCompression));

  it('is off unless some level says otherwise, and the innermost has the last word', () => {
    expect(mergeCompression()).toBeNull();
    expect(mergeCompression(undefined, undefined)).toBeNull();
    expect(merge(true, false)).toBeNull();
    expect(merge(false, true)).toMatchObject({ minSize: 1_024, encodings: ['br', 'zstd', 'gzip'] });
    expect(mergeCompression(true, undefined, undefined)).toMatchObject({ cacheSize: 32 * 1024 * 1024 });
  });

  it('takes each key from the innermost level that has it', () => {
    const outer = { minSize: '2k', levels: { gzip: 6, br: 5 }, types: ['text/html'] };
    expect(merge(outer, true)).toMatchObject({ minSize: 2_048, types: ['text/html'] });
    expect(merge(outer, { levels: { br: 1 } }, { types: ['*'] })).toMatchObject({
      minSize: 2_048,
      levels: { gzip: 6, br: 1, zstd: 3 },
      keptLevels: { gzip: 9, br: 11, zstd: 19 },
      types: ['*'],
    });
    expect(merge(outer, false, {})).toMatchObject({ minSize: 2_048 });
  });
});
