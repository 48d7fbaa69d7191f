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
      tryFiles: null,
      cleanUrls: true,
      precompressed: ['gzip', 'br', 'gzip'],
      autoindex: true,
      cacheControl: false,
      immutable: '^/v\\d+/',
      types: { MD: 'text/markdown' },
      defaultType: 'text/plain',
      charset: 'off',
      download: ['PDF', 'zip'],
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
      precompressed: ['gzip', 'br'],
      autoindex: 'auto',
      types: { md: 'text/markdown' },
      download: ['pdf', 'zip'],
      stripPrefix: '/files',
      cacheFileSize: 65_536,
      largeCacheSize: 1_048_576,
    };
    expect(check(written).data).toEqual(settings);
    const codings = (value: unknown) => check({ root: 'public', precompressed: value }).data?.precompressed;
    expect([codings(true), codings(false)]).toEqual([['br', 'zstd', 'gzip'], []]);
    const listing = (value: unknown) => check({ root: 'public', autoindex: value }).data?.autoindex;
    expect([false, 'html', 'json'].map(listing)).toEqual(['off', 'html', 'json']);
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
    [{ root: 'public', tryFiles: [] }],
    [{ root: 'public', tryFiles: ['$uri'] }],
    [{ root: 'public', tryFiles: ['$uri', 'index.html'] }],
    [{ root: 'public', tryFiles: ['$uri', '=1000'] }],
    [{ root: 'public', tryFiles: ['$uri', '=101'] }],
    [{ root: 'public', tryFiles: ['$uri', '@'] }],
    [{ root: 'public', tryFiles: ['$uri', '$args'] }],
    [{ root: 'public', tryFiles: ['=404', '=404'] }],
    [{ root: 'public', tryFiles: ['a', '=404'] }],
    [{ root: 'public', tryFiles: ['$nothing', '=404'] }],
    [{ root: 'public', tryFiles: ['$uri', '=404'], fallback: '/index.html' }],
    [{ root: 'public', tryFiles: ['$uri', '=404'], cleanUrls: true }],
    [{ root: 'public', precompressed: ['deflate'] }],
    [{ root: 'public', precompressed: 'br' }],
    [{ root: 'public', autoindex: 'xml' }],
    [{ root: 'public', immutable: '(' }],
    [{ root: 'public', types: { '.md': 'text/markdown' } }],
    [{ root: 'public', types: { md: 'markdown' } }],
    [{ root: 'public', types: { md: 'text/x\r\nA: b' } }],
    [{ root: 'public', defaultType: '' }],
    [{ root: 'public', charset: 'utf 8' }],
    [{ root: 'public', download: 'pdf' }],
    [{ root: 'public', download: ['.pdf'] }],
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
