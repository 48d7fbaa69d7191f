import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import { isFingerprinted } from '../../../src/handlers/static/is-fingerprinted.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Reply } from '../../../src/message/reply.ts';
import { answerReply, createDeps, createExchange } from '../exchange.ts';
import { createSettings, SiteFolder } from './site-folder.ts';

let folder: SiteFolder;

beforeAll(() => {
  folder = new SiteFolder();
});

afterAll(() => folder.remove());

function get(path: string, settings: Partial<StaticSettings> = {}, fields: string[] = []): Reply {
  folder.write(path);
  const handler = createStatic(createSettings(folder.root, settings), createDeps());
  try {
    return answerReply(handler, createExchange(path, fields));
  } finally {
    handler.close();
  }
}

describe('isFingerprinted', () => {
  it.each([
    '/assets/index-BkH3x9aQ.js',
    '/assets/index-DiwrgTda.css',
    '/assets/inter-latin-C3nZ-x_9.woff2',
    '/assets/logo-B-x_9aQz.svg',
    '/main.3f2a1b4c.js',
    '/static/js/main.8d7c6b5a.chunk.js',
    '/static/js/main.8d7c6b5a.js.map',
    '/_next/static/chunks/4bd1b696-100b9d70ed4e49c1.js',
    '/_app/immutable/entry/start.Dk2J9xQz.js',
    '/dist/app-3HJKLMN2.js',
    '/application-908e25f4bf641868d8683022a5b62f54.css',
  ])('%s is', (path) => {
    expect(isFingerprinted(path)).toBe(true);
  });

  it.each([
    '/index.html',
    '/app.js',
    '/jquery-3.7.1.min.js',
    '/jquery-migrate.js',
    '/assets/my-document.js',
    '/assets/photo-IMG_2024.jpg',
    '/assets/photo-20240301.jpg',
    '/assets/song-version2.mp4',
    '/assets/page-2024june.js',
    '/report-3f2a1b4c.pdf',
    '/report-3f2a1b4c.html',
    '/page-MyReport.js',
    '/README-Download.js',
    '/fonts/inter-semibold.woff2',
    '/deadbeef.js',
    '/x-decade12.js',
    '/BkH3x9aQ',
    '/BkH3x9aQ/app.js',
    '/__proto__.js',
  ])('%s is not', (path) => {
    expect(isFingerprinted(path)).toBe(false);
  });

  it('V19: decides at once about any name', () => {
    const startedAtMs = performance.now();
    for (const piece of ['a', 'a1', '-', '.', '.js', '0aF-', '-BkH3x9aQ.'])
      isFingerprinted(`/assets/${piece.repeat(65_536 / piece.length)}.js`);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });
});

describe('Cache-Control', () => {
  const kept = 'public, max-age=31536000, immutable';

  it.each([
    ['/page.html', {}, 'no-cache'],
    ['/assets/app-BkH3x9aQ.js', {}, kept],
    ['/assets/app-BkH3x9aQ.html', {}, 'no-cache'],
    ['/style.css', {}, 'no-cache'],
    ['/v1/style.css', { immutable: '^/v\\d+/' }, kept],
    ['/v1/page.html', { immutable: '^/v\\d+/' }, 'no-cache'],
    ['/assets/app-BkH3x9aQ.js', { cacheControl: false }, undefined],
  ])('of %s with %j is %j, on 200, 206 and 304', (path, settings, expected) => {
    for (const fields of [[], ['Range', 'bytes=0-1'], ['If-None-Match', '*']]) {
      expect(getField(get(path, settings, fields).fields, 'cache-control')).toBe(expected);
    }
  });
});

describe('media types', () => {
  it.each([
    ['/a.md', { types: { md: 'text/plain' } }, 'text/plain; charset=utf-8'],
    ['/A.MD', { types: { md: 'text/x-own; charset=ascii' } }, 'text/x-own; charset=ascii'],
    ['/a.html', { types: { html: 'application/x-own' } }, 'application/x-own'],
    ['/a.unheard-of', { defaultType: 'text/plain' }, 'text/plain; charset=utf-8'],
    ['/LICENSE', { defaultType: 'text/plain' }, 'text/plain; charset=utf-8'],
    ['/a.constructor', { types: { md: 'text/plain' } }, 'application/octet-stream'],
    ['/a.html', { charset: 'off' }, 'text/html'],
    ['/a.txt', { charset: 'iso-8859-1' }, 'text/plain; charset=iso-8859-1'],
    ['/a.png', { charset: 'iso-8859-1' }, 'image/png'],
  ])('of %s with %j is %j', (path, settings, expected) => {
    expect(getField(get(path, settings).fields, 'content-type')).toBe(expected);
  });
});

describe('downloads', () => {
  it.each([
    ['/a.pdf', true, 'attachment; filename="a.pdf"'],
    ['/sub/b c.PDF', ['pdf'], 'attachment; filename="b c.PDF"'],
    ['/a.html', ['pdf'], undefined],
    ['/a.pdf', false, undefined],
    [
      '/naïve 報告.pdf',
      true,
      `attachment; filename="na_ve __.pdf"; filename*=UTF-8''na%C3%AFve%20%E5%A0%B1%E5%91%8A.pdf`,
    ],
  ])('%s with %j', (path, download, expected) => {
    expect(getField(get(path, { download }).fields, 'content-disposition')).toBe(expected);
    const part = get(path, { download }, ['Range', 'bytes=0-0']);
    expect(getField(part.fields, 'content-disposition')).toBe(expected);
  });
});
