// The examples of docs/static.md do what the document says.

import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, type StartedServer, startServer } from '../support/start-server.ts';

const markdown = readFileSync(`${repositoryRoot}docs/static.md`, 'utf8');
const examples = [...markdown.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
const page = { accept: 'text/html' };

/** Starts an example with these files in its folder. */
function start(i: number, files: Record<string, string>): Promise<StartedServer> {
  const site = parse(examples[i].replaceAll('../public', 'public')) as SiteConfig;
  const placed = Object.entries(files).map(([path, text]) => [`public/${path}`, text]);
  return startServer({ workers: 1, ...site }, { files: Object.fromEntries(placed) });
}

async function get(
  server: StartedServer,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
) {
  const answer = await fetch(server.url + path, { method, headers, redirect: 'manual' });
  const field = (name: string) => answer.headers.get(name);
  return { status: answer.status, text: await answer.text(), field };
}

test('of a folder', async () => {
  const server = await start(0, {
    'index.html': '0123456789',
    'sub/a.txt': 'a',
    'app-BkH3x9aQ.js': '1',
    'assets/app-BkH3x9aQ.js': '1',
    '.env': 'secret',
    'large.txt': 'x'.repeat(5_000),
  });
  const whole = await get(server, '/');
  expect(whole.field('cache-control')).toBe('no-cache');
  expect((await get(server, '/assets/app-BkH3x9aQ.js')).field('cache-control')).toMatch(/immutable$/);
  const etag = whole.field('etag') as string;
  expect((await get(server, '/', { 'if-none-match': etag })).status).toBe(304);
  expect((await get(server, '/', { range: 'bytes=-3' })).text).toBe('789');
  const past = await get(server, '/', { range: 'bytes=10-' });
  expect([past.status, past.field('content-range')]).toEqual([416, 'bytes */10']);
  const parts = await get(server, '/large.txt', { range: 'bytes=0-9,2000-2009' });
  expect([parts.status, parts.field('content-type')?.split(';')[0]]).toEqual([206, 'multipart/byteranges']);
  expect((await get(server, '/sub?q')).field('location')).toBe('/sub/?q');
  const missing = await get(server, '/none.js');
  expect([missing.status, missing.field('cache-control')]).toEqual([404, 'no-store']);
  expect((await get(server, '/.env')).status).toBe(404);
});

test('of what is compressed beforehand', async () => {
  const server = await start(1, {
    'app.js': 'plain',
    'app.js.br': 'BR',
    'app.js.gz': 'GZ',
    'old.js': '1',
    'old.js.br': '2',
  });
  const longAgo = new Date('2020-01-01');
  utimesSync(join(server.folder, 'public/old.js.br'), longAgo, longAgo);
  // fetch would decode what is no real Brotli: a range of it is passed through as it is.
  const encoding = async (path: string, accepted: string) =>
    (await get(server, path, { 'accept-encoding': accepted }, 'HEAD')).field('content-encoding');
  expect(await encoding('/app.js', 'gzip, br')).toBe('br');
  expect(await encoding('/app.js', 'gzip, br;q=0.1')).toBe('gzip');
  expect(await encoding('/app.js', 'zstd')).toBeNull();
  expect(await encoding('/old.js', 'br')).toBeNull();
  const plain = await get(server, '/app.js', { 'accept-encoding': 'identity' });
  expect([plain.text, plain.field('vary')]).toEqual(['plain', 'Accept-Encoding']);
  expect(plain.field('content-type')).toBe('text/javascript; charset=utf-8');
});

test('of clean URLs', async () => {
  const server = await start(2, { 'about.html': 'about', 'docs/index.html': 'docs' });
  expect((await get(server, '/about')).text).toBe('about');
  expect((await get(server, '/about.html?a=1')).field('location')).toBe('/about?a=1');
  expect((await get(server, '/docs/index.html')).field('location')).toBe('/docs/');
});

test('of a single-page app', async () => {
  const server = await start(3, { 'index.html': 'the app' });
  expect((await get(server, '/users/7', page)).text).toBe('the app');
  expect((await get(server, '/assets/app-12345678.js', page)).status).toBe(404);
  expect((await get(server, '/api', { accept: '*/*' })).status).toBe(404);
});

test('of tryFiles', async () => {
  const server = await start(4, {
    'about.html': 'about',
    'sub/index.html': 'sub',
    'empty/x.txt': 'x',
    'docs/de/index.html': 'deutsch',
  });
  expect((await get(server, '/about')).text).toBe('about');
  expect((await get(server, '/sub')).field('location')).toBe('/sub/');
  expect((await get(server, '/sub/')).text).toBe('sub');
  expect((await get(server, '/empty/')).text).toBe('the app answers /empty/\n');
  expect((await get(server, '/users/7?x=1')).text).toBe('the app answers /users/7\n');
  expect((await get(server, '/@app')).text).toBe('the app answers /@app\n');
  expect((await get(server, '/docs/x?lang=de')).text).toBe('deutsch');
  expect((await get(server, '/docs/x?lang=../..')).status).toBe(404);
});

test('of a listing', async () => {
  const server = await start(5, { 'sub/b.txt': '12', 'sub/a.txt': '1', 'sub/.hidden': '' });
  const html = await get(server, '/sub/', page);
  expect(html.text).toContain('>a.txt<');
  expect(html.field('content-security-policy')).toContain("default-src 'none'");
  const json = await get(server, '/sub/?sort=size&order=desc', { accept: 'application/json' });
  expect(JSON.parse(json.text)).toMatchObject([
    { name: 'b.txt', type: 'file', size: 2 },
    { name: 'a.txt', type: 'file', size: 1 },
  ]);
});

test('of types and downloads', async () => {
  const server = await start(6, { 'a.md': '', 'b.webapp': '', LICENSE: '', 'größe.zip': '' });
  const type = async (path: string) => (await get(server, path)).field('content-type');
  expect(await type('/a.md')).toBe('text/markdown; charset=utf-8');
  expect(await type('/b.webapp')).toBe('application/manifest+json; charset=utf-8');
  expect(await type('/LICENSE')).toBe('text/plain; charset=utf-8');
  const saved = await get(server, `/${encodeURIComponent('größe.zip')}`);
  expect(saved.field('content-disposition')).toBe(
    `attachment; filename="gr__e.zip"; filename*=UTF-8''gr%C3%B6%C3%9Fe.zip`,
  );
});

test('of fields', async () => {
  const server = await start(7, { 'a.txt': 'a' });
  const file = await get(server, '/a.txt');
  expect(file.field('content-security-policy')).toBe("default-src 'self'");
  expect(file.field('x-content-type-options')).toBe('nosniff');
  expect(file.field('strict-transport-security')).toBeNull();
  expect([file.field('cache-control'), file.field('x-robots-tag')]).toEqual(['max-age=2592000', 'noindex']);
  const origin = 'https://a.example.org';
  const error = await get(server, '/api/', { origin });
  expect([error.status, error.field('access-control-allow-origin')]).toEqual([404, origin]);
  expect(error.field('link')?.split(', ')).toHaveLength(3);
  expect([error.field('x-frame-options'), error.field('x-robots-tag')]).toEqual([null, null]);
  const asked = { origin, 'access-control-request-method': 'PUT' };
  const preflight = await get(server, '/api/', asked, 'OPTIONS');
  expect([preflight.status, preflight.field('access-control-allow-credentials')]).toEqual([204, 'true']);
  expect(preflight.field('content-security-policy')).toBeNull();
  const missing = await get(server, '/none');
  expect([missing.status, missing.field('referrer-policy')]).toEqual([
    404,
    'strict-origin-when-cross-origin',
  ]);
});

test('of limits', async () => {
  const server = await start(8, { 'a.txt': 'x'.repeat(30_000), 'large/b.txt': 'b' });
  const startedAtMs = performance.now();
  expect((await get(server, '/a.txt')).text).toHaveLength(30_000);
  expect(performance.now() - startedAtMs).toBeGreaterThan(700);
  expect((await get(server, '/large/b.txt')).text).toBe('b');
});

test('and no others', () => {
  expect(examples).toHaveLength(9);
});
