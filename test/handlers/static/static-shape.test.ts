import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseInDirectory } from '../../../src/config/shape/base-directory.ts';
import { staticShape } from '../../../src/handlers/static/static-shape.ts';
import { createSettings, SiteFolder } from './site-folder.ts';

let folder: SiteFolder;

beforeAll(() => {
  folder = new SiteFolder();
  writeFileSync(join(folder.base, 'file'), '');
});

afterAll(() => folder.remove());

function check(written: unknown) {
  return parseInDirectory(folder.base, () => staticShape.safeParse(written));
}

describe('staticShape', () => {
  it('takes a folder alone, or an object, relative to the config', () => {
    const settings = createSettings(folder.root);
    expect(check('public').data).toEqual(settings);
    expect(check({ root: './public' }).data).toEqual(settings);
    expect(JSON.parse(JSON.stringify(settings))).toEqual(settings);
  });

  it('takes every setting', () => {
    const written = {
      root: 'public',
      index: ['a.html', 'b'],
      fallback: '/sub/index.html',
      dotfiles: true,
      symlinks: 'deny',
      stripPrefix: '/files/',
      cacheFileSize: '64k',
      cacheSize: 0,
      largeCacheSize: '1m',
    };
    const settings = {
      ...written,
      root: folder.root,
      stripPrefix: '/files',
      cacheFileSize: 65_536,
      largeCacheSize: 1_048_576,
    };
    expect(check(written).data).toEqual(settings);
    expect(check({ root: 'public', stripPrefix: '/' }).data?.stripPrefix).toBe('');
  });

  it.each([
    ['none'],
    ['file'],
    [''],
    [{}],
    [{ root: 'none' }],
    [{ root: 'public', index: 'index.html' }],
    [{ root: 'public', index: ['../secret'] }],
    [{ root: 'public', index: ['a/b'] }],
    [{ root: 'public', index: [''] }],
    [{ root: 'public', fallback: 'index.html' }],
    [{ root: 'public', fallback: '/../secret' }],
    [{ root: 'public', fallback: '/' }],
    [{ root: 'public', stripPrefix: 'files' }],
    [{ root: 'public', stripPrefix: '/../' }],
    [{ root: 'public', symlinks: 'yes' }],
    [{ root: 'public', dotfiles: 'no' }],
    [{ root: 'public', cacheSize: '1x' }],
    [{ root: 'public', rot: 'public' }],
  ])('refuses %j', (written) => {
    expect(check(written).success).toBe(false);
  });

  it('can be written as JSON Schema, with a description for each key', () => {
    const schema = JSON.stringify(z.toJSONSchema(staticShape, { io: 'input', unrepresentable: 'any' }));
    for (const key of Object.keys(createSettings(''))) {
      expect(schema).toMatch(new RegExp(`"${key}":\\{[^{}]*(?:\\{[^{}]*\\}[^{}]*)*"description"`));
    }
  });
});
