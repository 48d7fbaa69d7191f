import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import type { FileCache } from '../../../src/handlers/static/file-cache.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import { type Answer, Reply } from '../../../src/message/reply.ts';
import { createDeps, createExchange, readBody } from '../exchange.ts';
import { countOpenFiles, createSettings, SiteFolder, secret, waitForClosedFiles } from './site-folder.ts';

let folder: SiteFolder;
let handlers: Handler[];
const html = ['Accept', 'text/html'];

beforeEach(() => {
  folder = new SiteFolder();
  handlers = [];
});

afterEach(() => {
  for (const handler of handlers) handler.close();
  folder.remove();
});

function create(settings: Partial<StaticSettings>): Handler {
  const handler = createStatic(createSettings(folder.root, settings), createDeps());
  handlers.push(handler);
  return handler;
}

/** What is answered, in one word: the text of a file, "-> Location", "=> internal redirect" or a status. */
async function ask(handler: Handler, path: string, query = '', fields: string[] = html): Promise<string> {
  let answer: Answer;
  try {
    answer = await handler.handle(createExchange(path, fields, 'GET', query));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    answer = error;
  }
  if (answer instanceof HttpError) return String(answer.status);
  if (!(answer instanceof Reply)) return `=> ${answer.redirectTo}`;
  const location = getField(answer.fields, 'location');
  if (location !== undefined) return `-> ${location}`;
  return answer.status === 200 ? (await readBody(answer)).toString() : String(answer.status);
}

/** Asks twice: from the disk, and from memory. */
async function askTwice(handler: Handler, path: string, query?: string): Promise<string> {
  const first = await ask(handler, path, query);
  expect(await ask(handler, path, query)).toBe(first);
  return first;
}

describe('T21: the order of', () => {
  const places = ['a', 'a.html', 'a/index.html'];
  // All sets of files: "a" can't be a file and a folder.
  const sets = [[], ['a'], ['a.html'], ['a/index.html'], ['a', 'a.html'], ['a.html', 'a/index.html']];

  const expectations: [string, Partial<StaticSettings>, (files: string[]) => string][] = [
    [
      'nothing special',
      {},
      (files) => (files.includes('a') ? 'a' : files.includes('a/index.html') ? '-> /a/' : '404'),
    ],
    [
      'a fallback',
      { fallback: '/index.html' },
      (files) => (files.includes('a') ? 'a' : files.includes('a/index.html') ? '-> /a/' : 'app'),
    ],
    [
      'clean URLs',
      { cleanUrls: true },
      (files) =>
        ['a', 'a.html'].find((name) => files.includes(name)) ?? (files.length > 0 ? '-> /a/' : '404'),
    ],
    [
      'clean URLs and a fallback',
      { cleanUrls: true, fallback: '/index.html' },
      (files) =>
        ['a', 'a.html'].find((name) => files.includes(name)) ?? (files.length > 0 ? '-> /a/' : 'app'),
    ],
    [
      'tryFiles',
      { tryFiles: ['$uri', '$uri.html', '$uri/', '/index.html'] },
      (files) =>
        ['a', 'a.html'].find((name) => files.includes(name)) ??
        (files.length > 0 ? '-> /a/' : '=> /index.html'),
    ],
    [
      'tryFiles, folders first',
      { tryFiles: ['$uri/', '$uri.html', '$uri', '=410'] },
      (files) =>
        files.includes('a/index.html')
          ? '-> /a/'
          : (['a.html', 'a'].find((name) => files.includes(name)) ?? '410'),
    ],
  ];

  it.each(expectations)('%s', async (_name, settings, expected) => {
    for (const files of sets) {
      folder.remove();
      folder = new SiteFolder();
      folder.write('index.html', 'app');
      for (const name of places) if (files.includes(name)) folder.write(name, name);
      const handler = create(settings);
      expect([files, await askTwice(handler, '/a')]).toEqual([files, expected(files)]);
      const slashed = files.includes('a/index.html') ? 'a/index.html' : expected([]);
      expect([files, await askTwice(handler, '/a/')]).toEqual([files, slashed]);
    }
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('S2: a folder without index is passed over by tryFiles, and a file is no folder', async () => {
    folder.write('docs/page.html');
    folder.write('file', 'file');
    const handler = create({ tryFiles: ['$uri/', '$uri', '=404'] });
    expect(await askTwice(handler, '/docs')).toBe('404');
    expect(await askTwice(handler, '/docs/')).toBe('404');
    expect(await askTwice(handler, '/file')).toBe('file');
    expect(await askTwice(handler, '/file/')).toBe('404');
  });
});

describe('S2: tryFiles', () => {
  it('looks at the places in order, variables included, each request for itself', async () => {
    folder.write('de/a.txt', 'deutsch');
    folder.write('en/a.txt', 'english');
    const handler = create({ tryFiles: ['/$arg_lang$uri', '/en$uri', '=404'] });
    expect(await askTwice(handler, '/a.txt', 'lang=de')).toBe('deutsch');
    expect(await askTwice(handler, '/a.txt', 'lang=fr')).toBe('english');
    expect(await askTwice(handler, '/a.txt')).toBe('english');
    expect(await askTwice(handler, '/b.txt', 'lang=de')).toBe('404');
  });

  it('keeps a file once, however many ways variables make to it', async () => {
    folder.write('en/a.txt', 'english');
    const deps = createDeps();
    const handler = createStatic(
      createSettings(folder.root, { tryFiles: ['/$arg_x$uri', '/en$uri', '=404'] }),
      deps,
    );
    handlers.push(handler);
    for (let i = 0; i < 20; i++) expect(await ask(handler, '/a.txt', `x=${i}`)).toBe('english');
    const [cache] = deps.shared.values<FileCache>('static:');
    expect(cache.files.size).toBe(1);
  });

  it.each(['..', '../..', '%2e%2e', '..%2f..', '.', '.hidden', '\\..', 'a/../..'])(
    'V5: a variable with %j leads nowhere',
    async (hostile) => {
      writeFileSync(join(folder.base, 'secret.txt'), secret);
      folder.write('.hidden/secret.txt', secret);
      const handler = create({ tryFiles: ['/$arg_dir$uri', '/x/$arg_dir$uri', '$uri', '=404'] });
      expect(await askTwice(handler, '/secret.txt', `dir=${hostile}`)).toBe('404');
    },
  );

  it('V8: a link to the outside is no file, whatever comes next', async () => {
    writeFileSync(join(folder.base, 'secret.txt'), secret);
    symlinkSync('../secret.txt', join(folder.root, 'link'));
    const handler = create({ tryFiles: ['/link', '$uri', '=404'] });
    expect(await askTwice(handler, '/a')).toBe('404');
    expect(countOpenFiles(folder.base)).toBe(0);
  });

  it.each([
    ['/index.html', '/x', '', '=> /index.html'],
    ['/index.php$is_args$args', '/x', 'a=b%20c', '=> /index.php?a=b%20c'],
    ['/page$uri', '/a b%?c', '', '=> /page/a%20b%25%3Fc'],
    ['$uri.php', '/x', '', '=> /x.php'],
    ['/$$uri', '/x', '', '=> /$uri'],
    ['@app', '/.env', '', '=> @app'],
    ['@app', '/CON', '', '=> @app'],
    ['=404', '/x', '', '404'],
    ['=403', '/x', '', '403'],
    ['=410', '/x', '', '410'],
    ['=503', '/x', '', '503'],
    ['=204', '/x', '', '204'],
  ])('ends with %j', async (end, path, query, expected) => {
    expect(await askTwice(create({ tryFiles: ['$uri', end] }), path, query)).toBe(expected);
  });

  it('takes $uri for the path below stripPrefix', async () => {
    folder.write('a.html', 'a');
    const handler = create({ tryFiles: ['$uri.html', '=404'], stripPrefix: '/docs' });
    expect(await askTwice(handler, '/docs/a')).toBe('a');
    expect(await askTwice(handler, '/a')).toBe('404');
    expect(await askTwice(handler, '/docs')).toBe('404');
  });
});

describe('clean URLs', () => {
  beforeEach(() => {
    for (const path of ['about.html', 'docs/index.html', 'index.html', 'both', 'both.html'])
      folder.write(path, path);
  });

  it.each([
    ['/about', 'about.html'],
    ['/about/', '404'],
    ['/about.html', '-> /about'],
    ['/docs/', 'docs/index.html'],
    ['/docs/index.html', '-> /docs/'],
    ['/index.html', '-> /'],
    ['/', 'index.html'],
    ['/both', 'both'],
    ['/both.html', 'both.html'],
    ['/none.html', '404'],
    ['/.html', '404'],
    ['/docs.html', '404'],
  ])('%s is %s', async (path, expected) => {
    expect(await askTwice(create({ cleanUrls: true }), path)).toBe(expected);
  });

  it('T20: keep the query and the prefix', async () => {
    const handler = create({ cleanUrls: true, stripPrefix: '/site' });
    expect(await ask(handler, '/site/about.html', 'a=1&b=%2F')).toBe('-> /site/about?a=1&b=%2F');
    expect(await ask(handler, '/site/index.html', 'a')).toBe('-> /site/?a');
  });

  it('V12: never lead off the site', async () => {
    folder.write('evil.example.html');
    folder.write('\\evil.html');
    const handler = create({ cleanUrls: true });
    for (const path of ['//evil.example.html', '/\\evil.html', '/%5cevil.html', '//evil.example/index.html'])
      expect([path, await ask(handler, path)]).toEqual([path, '404']);
  });

  it('are not asked for after an internal redirect, of which the client knows nothing', async () => {
    const exchange = createExchange('/index.html');
    exchange.redirected = true;
    expect((create({ cleanUrls: true }).handle(exchange) as Reply).status).toBe(200);
  });
});
