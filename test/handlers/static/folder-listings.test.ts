import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import { formatBytes } from '../../../src/handlers/static/listing-page.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import { Reply } from '../../../src/message/reply.ts';
import { createDeps, createExchange, readBody } from '../exchange.ts';
import { createSettings, SiteFolder, secret, waitForClosedFiles } from './site-folder.ts';

let folder: SiteFolder;
let handlers: Handler[];

beforeEach(() => {
  folder = new SiteFolder();
  handlers = [];
});

afterEach(() => {
  for (const handler of handlers) handler.close();
  folder.remove();
});

function create(settings: Partial<StaticSettings> = {}): Handler {
  const handler = createStatic(createSettings(folder.root, { autoindex: 'auto', ...settings }), createDeps());
  handlers.push(handler);
  return handler;
}

async function get(handler: Handler, path: string, query = '', fields: string[] = []): Promise<Reply> {
  const answer = await handler.handle(createExchange(path, fields, 'GET', query));
  if (answer instanceof Reply) return answer;
  throw answer instanceof HttpError ? answer : new Error('an internal redirect');
}

async function getText(handler: Handler, path: string, query = ''): Promise<string> {
  return (await readBody(await get(handler, path, query))).toString();
}

interface ListedEntry {
  name: string;
  type: string;
  mtime: string;
  size?: number;
}

async function list(handler: Handler, path: string, query = ''): Promise<ListedEntry[]> {
  const reply = await get(handler, path, query, ['Accept', 'application/json']);
  expect(getField(reply.fields, 'content-type')).toBe('application/json; charset=utf-8');
  return JSON.parse((await readBody(reply)).toString());
}

const listNames = async (handler: Handler, path: string, query = ''): Promise<string[]> =>
  (await list(handler, path, query)).map(({ name }) => name);

describe('a listing', () => {
  it('is off unless asked for, and an index comes before it', async () => {
    folder.write('sub/a.txt');
    folder.write('index.html', 'index');
    await expect(get(create({ autoindex: 'off' }), '/sub/')).rejects.toThrow('TSS_NOT_FOUND');
    expect(await getText(create(), '/')).toBe('index');
    expect((await get(create(), '/sub')).fields).toEqual(['Location', '/sub/']);
    expect(await getText(create({ tryFiles: ['$uri', '$uri/', '=404'] }), '/sub/')).toContain('a.txt');
  });

  it('is JSON for those who prefer it, in the form of nginx', async () => {
    folder.write('b.txt', '12345');
    folder.write('a/x');
    const entries = await list(create(), '/');
    expect(entries).toEqual([
      { name: 'a', type: 'directory', mtime: expect.stringMatching(/ GMT$/) },
      { name: 'b.txt', type: 'file', mtime: 'Fri, 01 Mar 2024 12:00:00 GMT', size: 5 },
    ]);
    const page = await get(create(), '/', '', ['Accept', 'text/html,*/*;q=0.8']);
    expect(getField(page.fields, 'vary')).toBe('Accept');
    expect(getField(page.fields, 'cache-control')).toBe('no-cache');
    expect(await getText(create({ autoindex: 'json' }), '/')).toMatch(/^\[/);
    const html = await get(create({ autoindex: 'html' }), '/', '', ['Accept', 'application/json']);
    expect(getField(html.fields, 'content-type')).toBe('text/html; charset=utf-8');
  });

  it('is sorted as asked, folders first, and says how to ask', async () => {
    for (const [path, size] of [
      ['B', 3],
      ['a', 2],
      ['c', 1],
    ] as const)
      folder.write(path, 'x'.repeat(size));
    folder.write('z/x');
    const handler = create();
    expect(await listNames(handler, '/')).toEqual(['z', 'a', 'B', 'c']);
    expect(await listNames(handler, '/', 'sort=name&order=desc')).toEqual(['z', 'c', 'B', 'a']);
    expect(await listNames(handler, '/', 'sort=size')).toEqual(['z', 'c', 'a', 'B']);
    expect(await listNames(handler, '/', 'sort=size&order=desc')).toEqual(['z', 'B', 'a', 'c']);
    expect(await listNames(handler, '/', 'sort=time')).toEqual(['z', 'a', 'B', 'c']);
    expect(await listNames(handler, '/', 'sort=%00&order=<script>')).toEqual(['z', 'a', 'B', 'c']);
    const page = await getText(handler, '/', 'sort=size');
    expect(page).toContain('href="?sort=size&amp;order=desc"');
    expect(page).toContain('href="?sort=name&amp;order=asc"');
  });

  it('shows sizes, times, the way up, and an empty folder as such', async () => {
    folder.write('sub/a.txt', 'x'.repeat(2_048));
    const page = await getText(create(), '/sub/');
    expect(page).toContain('2.00 KiB');
    expect(page).toContain('2024-03-01 12:00');
    expect(page).toContain('href="../"');
    expect(await getText(create({ stripPrefix: '/sub' }), '/sub/')).not.toContain('href="../"');
    execFileSync('mkdir', [join(folder.root, 'empty')]);
    expect(await getText(create(), '/empty/')).toContain('Nothing here');
  });

  it('V10: shows names as text, whatever they hold', async () => {
    const names = [
      '<img src=x onerror=alert(1)>',
      '"><script>alert(1)<',
      "' onmouseover='x",
      '&lt;b&gt;',
      'javascript:alert(1)',
      '報告 100%?#.pdf',
    ];
    for (const name of names) folder.write(name);
    writeFileSync(Buffer.concat([Buffer.from(`${folder.root}/latin`), Buffer.from([0xe9])]), 'latin1 name');
    folder.write('<b>/x');
    const handler = create();
    const reply = await get(handler, '/');
    const page = (await readBody(reply)).toString();
    expect(page).not.toMatch(/<(img|script|b)[\s>]/i);
    expect(page).not.toMatch(/\son\w+=[^&]*"/i);
    for (const [, href] of page.matchAll(/href="([^"]*)"/g))
      expect(href).toMatch(/^(\.\/|\.\.\/|\?)[!-~]+$|^\.\.\/$/);
    expect(page).toContain('href="./%E5%A0%B1%E5%91%8A%20100%25%3F%23.pdf"');
    expect(page).toContain('href="./latin%E9"');
    expect(page).not.toMatch(/https?:|<link|url\(/);
    expect(getField(reply.fields, 'content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-/,
    );
    expect(getField(reply.fields, 'x-content-type-options')).toBe('nosniff');
    expect((await listNames(handler, '/')).filter((name) => names.includes(name)).sort()).toEqual(
      names.sort(),
    );
    expect(await getText(handler, '/<b>/')).toContain('<h1>/&lt;b&gt;/</h1>');
  });

  it('V10: leaves out what would not be served', async () => {
    for (const name of ['.env', '.git/config', 'CON', 'x.', 'a\\b', 'a\nb', 'shown']) folder.write(name);
    writeFileSync(join(folder.base, 'secret'), secret);
    symlinkSync('../secret', join(folder.root, 'out'));
    symlinkSync('nowhere', join(folder.root, 'broken'));
    symlinkSync('shown', join(folder.root, 'in'));
    execFileSync('mkfifo', [join(folder.root, 'fifo')]);
    expect(await listNames(create(), '/')).toEqual(['in', 'shown']);
    expect(await listNames(create({ symlinks: 'deny' }), '/')).toEqual(['shown']);
    expect(await listNames(create({ dotfiles: true }), '/')).toEqual(['.git', '.env', 'in', 'shown']);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('V8: of a link to the outside is not to be had', async () => {
    symlinkSync('..', join(folder.root, 'out'));
    await expect(get(create(), '/out/')).rejects.toThrow('TSS_NOT_FOUND');
    await expect(get(create(), '/../')).rejects.toThrow('TSS_NOT_FOUND');
  });

  it('of thousands of entries lets others go first', { timeout: 60_000 }, async () => {
    for (let i = 0; i < 2_000; i++) writeFileSync(join(folder.root, `file-${i}.txt`), '');
    const handler = create();
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const entries = await list(handler, '/');
    const page = await getText(handler, '/');
    isDone = true;
    expect(entries).toHaveLength(2_000);
    expect(page.match(/<tr>/g)?.length).toBe(2_001);
    expect(turns).toBeGreaterThan(4);
  });

  it('is made once for all who ask at the same time', async () => {
    folder.write('a.txt');
    const handler = create();
    const [first, second] = await Promise.all([get(handler, '/'), get(handler, '/')]);
    expect(second).toBe(first);
    expect(await get(handler, '/')).toBe(first);
    expect(await get(handler, '/', 'sort=size')).not.toBe(first);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '0.98 KiB'],
    [10_240, '10.0 KiB'],
    [1_048_576, '1.00 MiB'],
    [123_456_789, '118 MiB'],
    [2 ** 53, '8.00 PiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
