import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import { getReplyLength, type Reply } from '../../../src/message/reply.ts';
import { answer, answerReply, createDeps, createExchange, readBody } from '../exchange.ts';
import { countOpenFiles, createSettings, SiteFolder, waitForClosedFiles } from './site-folder.ts';

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
  const handler = createStatic(createSettings(folder.root, settings), createDeps());
  handlers.push(handler);
  return handler;
}

function get(handler: Handler, path: string, fields: string[] = [], query = ''): Reply {
  return answerReply(handler, createExchange(path, fields, 'GET', query));
}

function getCode(handler: Handler, path: string, fields: string[] = [], method = 'GET'): string {
  const result = answer(handler, createExchange(path, fields, method));
  return result instanceof HttpError ? result.code : String(result.status);
}

// Both ways of answering keep the same promises: from memory, and streamed.
const ways = [
  ['from memory', {}],
  ['streamed', { cacheFileSize: 2 }],
] as const;

describe.each(ways)('a file answered %s', (_name, settings) => {
  it('has type, validators and the exact bytes', async () => {
    folder.write('a.html', '<p>hello</p>');
    const reply = get(create(settings), '/a.html');
    expect(reply.status).toBe(200);
    expect(getField(reply.fields, 'content-type')).toBe('text/html; charset=utf-8');
    expect(getField(reply.fields, 'last-modified')).toBe('Fri, 01 Mar 2024 12:00:00 GMT');
    expect(getField(reply.fields, 'etag')).toMatch(/^"[0-9a-z-]+"$/);
    expect(getField(reply.fields, 'accept-ranges')).toBe('bytes');
    expect(getReplyLength(reply.body)).toBe(12);
    expect((await readBody(reply)).toString()).toBe('<p>hello</p>');
  });

  it('answers HEAD with the same fields and length, and leaves no descriptor', () => {
    folder.write('a.txt', 'hello');
    const handler = create(settings);
    const reply = answerReply(handler, createExchange('/a.txt', ['Range', 'bytes=0-1'], 'HEAD'));
    expect(reply.status).toBe(200);
    expect(getReplyLength(reply.body)).toBe(5);
    expect(reply.fields).toEqual(get(handler, '/a.txt', ['If-Range', '"x"']).fields);
  });

  it('answers conditional requests in the order of RFC 9110', async () => {
    folder.write('a.txt', 'hello');
    const handler = create(settings);
    const first = get(handler, '/a.txt');
    await readBody(first);
    const etag = getField(first.fields, 'etag') as string;
    const date = getField(first.fields, 'last-modified') as string;
    const older = 'Thu, 29 Feb 2024 12:00:00 GMT';
    const cases: [string[], number][] = [
      [['If-None-Match', etag], 304],
      [['If-None-Match', `W/${etag}`], 304],
      [['If-None-Match', `"x", ${etag}`], 304],
      [['If-None-Match', '*'], 304],
      [['If-None-Match', '"x"', 'If-Modified-Since', date], 200],
      [['If-Modified-Since', date], 304],
      [['If-Modified-Since', older], 200],
      [['If-Modified-Since', 'yesterday'], 200],
      [['If-Match', etag], 200],
      [['If-Match', `W/${etag}`], 412],
      [['If-Match', '"x"'], 412],
      [['If-Match', '*', 'If-None-Match', etag], 304],
      [['If-Match', '"x"', 'If-None-Match', etag], 412],
      [['If-Match', etag, 'If-Unmodified-Since', older], 200],
      [['If-Unmodified-Since', older], 412],
      [['If-Unmodified-Since', date], 200],
      [['If-None-Match', etag, 'Range', 'bytes=0-1'], 304],
    ];
    for (const [fields, status] of cases) {
      const reply = get(handler, '/a.txt', fields);
      expect([fields, reply.status]).toEqual([fields, status]);
      if (status === 200) await readBody(reply);
      if (status === 304) {
        expect(reply.fields).toEqual(['ETag', etag, 'Last-Modified', date, 'Cache-Control', 'no-cache']);
        expect(reply.body).toBeNull();
      }
    }
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('T26: answers a range byte for byte', async () => {
    folder.write('a.txt', '0123456789');
    const handler = create(settings);
    const cases: [string, string | null, string][] = [
      ['bytes=0-0', 'bytes 0-0/10', '0'],
      ['bytes=2-5', 'bytes 2-5/10', '2345'],
      ['bytes=7-', 'bytes 7-9/10', '789'],
      ['bytes=-3', 'bytes 7-9/10', '789'],
      ['bytes=-99', 'bytes 0-9/10', '0123456789'],
      ['bytes=5-99999999999999999999', 'bytes 5-9/10', '56789'],
      ['BYTES=1-1', 'bytes 1-1/10', '1'],
      ['bytes=5-2', null, '0123456789'],
      ['bytes=a-b', null, '0123456789'],
      ['bytes=-', null, '0123456789'],
      ['bytes=0-1,4-5', 'bytes 0-5/10', '012345'],
      ['bytes=0-1,x', null, '0123456789'],
      ['lines=0-1', null, '0123456789'],
    ];
    for (const [range, contentRange, text] of cases) {
      const reply = get(handler, '/a.txt', ['Range', range]);
      expect([range, reply.status]).toEqual([range, contentRange === null ? 200 : 206]);
      expect(getField(reply.fields, 'content-range') ?? null).toBe(contentRange);
      expect(getReplyLength(reply.body)).toBe(text.length);
      expect((await readBody(reply)).toString()).toBe(text);
    }
  });

  it('T26: answers a range past the end with 416', () => {
    folder.write('a.txt', '0123456789');
    const handler = create(settings);
    for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=18446744073709551615-']) {
      const reply = get(handler, '/a.txt', ['Range', range]);
      expect([range, reply.status]).toEqual([range, 416]);
      expect(reply.fields).toEqual(['Content-Range', 'bytes */10']);
    }
    expect(countOpenFiles(folder.base)).toBe(0);
  });

  it('T26: obeys If-Range by strong comparison', async () => {
    folder.write('a.txt', '0123456789');
    const handler = create(settings);
    const first = get(handler, '/a.txt');
    await readBody(first);
    const etag = getField(first.fields, 'etag') as string;
    const date = getField(first.fields, 'last-modified') as string;
    const cases: [string, number][] = [
      [etag, 206],
      [`W/${etag}`, 200],
      ['"other"', 200],
      [date, 206],
      ['Fri, 01 Mar 2024 12:00:01 GMT', 200],
      ['nonsense', 200],
    ];
    for (const [ifRange, status] of cases) {
      const reply = get(handler, '/a.txt', ['If-Range', ifRange, 'Range', 'bytes=0-1']);
      expect([ifRange, reply.status]).toEqual([ifRange, status]);
      await readBody(reply);
    }
  });

  it('T26: answers several ranges as multipart/byteranges', async () => {
    const text = Array.from({ length: 400 }, (_, i) => `line ${String(i).padStart(4, '0')}\n`).join('');
    folder.write('a.txt', text);
    const handler = create(settings);
    const etag = getField(get(handler, '/a.txt', ['If-None-Match', '*']).fields, 'etag') as string;
    const reply = get(handler, '/a.txt', ['Range', 'bytes=1000-1009,0-9,-10', 'If-Range', etag]);
    expect(reply.status).toBe(206);
    expect(getField(reply.fields, 'etag')).toBe(etag);
    expect(getField(reply.fields, 'content-range')).toBeUndefined();
    const type = getField(reply.fields, 'content-type') as string;
    const [, boundary] = /^multipart\/byteranges; boundary=([0-9a-f]{36})$/.exec(type) as RegExpExecArray;
    const part = (first: number, last: number) =>
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Range: bytes ${first}-${last}/4000\r\n\r\n${text.slice(first, last + 1)}`;
    const body = (await readBody(reply)).toString();
    expect(body).toBe(`${part(1000, 1009)}${part(0, 9)}${part(3990, 3999)}\r\n--${boundary}--\r\n`);
    expect(getReplyLength(reply.body)).toBe(body.length);
    const changed = get(handler, '/a.txt', ['Range', 'bytes=0-1,900-901', 'If-Range', '"x"']);
    expect([changed.status, (await readBody(changed)).toString()]).toEqual([200, text]);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('lets go of the file wherever several ranges are left off', async () => {
    folder.write('a.txt', Buffer.alloc(8_000));
    const handler = create(settings);
    for (let reads = 0; reads < 7; reads++) {
      const reply = get(handler, '/a.txt', ['Range', 'bytes=0-9,2000-2009,4000-4009']);
      if (reply.body?.kind !== 'stream') continue;
      const { source } = reply.body;
      for (let i = 0; i < reads; i++) await new Promise((resolve) => source.read(resolve));
      source.cancel();
      source.cancel();
    }
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('V18: ignores a thousand overlapping ranges', async () => {
    folder.write('a.txt', '0123456789');
    const reply = get(create(settings), '/a.txt', ['Range', `bytes=${'0-9,'.repeat(1_000)}0-`]);
    expect(reply.status).toBe(200);
    expect((await readBody(reply)).length).toBe(10);
  });

  it('serves an empty file, whatever range is asked of it', async () => {
    folder.write('empty', '');
    const handler = create(settings);
    expect((await readBody(get(handler, '/empty'))).length).toBe(0);
    expect(get(handler, '/empty', ['Range', 'bytes=-5']).status).toBe(200);
    expect(get(handler, '/empty', ['Range', 'bytes=0-']).status).toBe(416);
    expect(countOpenFiles(folder.base)).toBe(0);
  });
});

describe('methods', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])('refuses %s with Allow', (method) => {
    folder.write('a.txt');
    const error = answer(create(), createExchange('/a.txt', [], method)) as HttpError;
    expect([error.status, error.code, error.fields]).toEqual([405, 'TSS_METHOD', ['Allow', 'GET, HEAD']]);
  });
});

describe('media types', () => {
  it.each([
    ['a.html', 'text/html; charset=utf-8'],
    ['a.css', 'text/css; charset=utf-8'],
    ['a.js', 'text/javascript; charset=utf-8'],
    ['a.mjs', 'text/javascript; charset=utf-8'],
    ['a.json', 'application/json; charset=utf-8'],
    ['a.svg', 'image/svg+xml'],
    ['A.PNG', 'image/png'],
    ['a.wasm', 'application/wasm'],
    ['a.unheard-of', 'application/octet-stream'],
    ['html', 'application/octet-stream'],
    ['constructor', 'application/octet-stream'],
    ['a.__proto__', 'application/octet-stream'],
  ])('%s is %s', (name, type) => {
    folder.write(name);
    expect(getField(get(create(), `/${name}`).fields, 'content-type')).toBe(type);
  });
});

describe('folders', () => {
  it('serves the first index that exists', async () => {
    folder.write('sub/second.html', 'second');
    const handler = create({ index: ['first.html', 'second.html'] });
    const reply = get(handler, '/sub/');
    expect((await readBody(reply)).toString()).toBe('second');
    expect(getField(reply.fields, 'content-type')).toBe('text/html; charset=utf-8');
  });

  it('T20: redirects to the slash and keeps the query', () => {
    folder.write('sub dir/é/x.txt');
    const reply = get(create(), '/sub dir/é', [], 'a=1&b=%20');
    expect([reply.status, reply.fields]).toEqual([301, ['Location', '/sub%20dir/%C3%A9/?a=1&b=%20']]);
  });

  it('is not found without an index, or when a file is taken for a folder', () => {
    folder.write('sub/x.txt');
    folder.write('folder-index/index.html/x.txt');
    const handler = create();
    expect(getCode(handler, '/sub/')).toBe('TSS_NOT_FOUND');
    expect(getCode(handler, '/sub/x.txt/')).toBe('TSS_NOT_FOUND');
    expect(getCode(handler, '/folder-index/')).toBe('TSS_NOT_FOUND');
    expect(countOpenFiles(folder.base)).toBe(0);
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    '//evil.example/..',
    '/%2f%2fevil.example',
    '/\t/evil.example',
  ])('V12: never redirects off the site for %j', (path) => {
    folder.write('evil.example/x.txt');
    folder.write('%2f%2fevil.example/x.txt');
    const result = answer(create(), createExchange(path));
    const location = getField(result.fields, 'location');
    if (location !== undefined) expect(location).toMatch(/^\/[^/\\]*\/$/);
    else expect(result.status).toBe(404);
  });

  it('V11: encodes what a name or a query could inject into Location', () => {
    folder.write('q?x#y%41/x.txt');
    const reply = get(create(), '/q?x#y%41', [], 'a=\r\nSet-Cookie: x');
    expect(getField(reply.fields, 'location')).toBe('/q%3Fx%23y%2541/?a=%0D%0ASet-Cookie:%20x');
  });
});

describe('stripPrefix', () => {
  it('is taken off before the root is put in front, by whole segments', async () => {
    folder.write('a.txt', 'a');
    folder.write('-secret', 'no');
    folder.write('index.html', 'index');
    const handler = create({ stripPrefix: '/files' });
    expect((await readBody(get(handler, '/files/a.txt'))).toString()).toBe('a');
    expect((await readBody(get(handler, '/files/'))).toString()).toBe('index');
    expect(get(handler, '/files', [], 'q').fields).toEqual(['Location', '/files/?q']);
    expect(getCode(handler, '/files-secret')).toBe('TSS_NOT_FOUND');
    expect(getCode(handler, '/a.txt')).toBe('TSS_NOT_FOUND');
    expect(getCode(handler, '/files../a.txt')).toBe('TSS_NOT_FOUND');
  });
});

describe('fallback', () => {
  const html = ['Accept', 'text/html,application/xhtml+xml,*/*;q=0.8'];

  it.each([
    ['a page', '/users/7', html, true],
    ['a page with a slash', '/users/', html, true],
    ['a page, told by the browser', '/users', [...html, 'Sec-Fetch-Dest', 'document'], true],
    ['a page in a frame', '/users', [...html, 'Sec-Fetch-Dest', 'iframe'], true],
    ['a missing script', '/assets/app.1234.js', ['Accept', '*/*'], false],
    ['a missing script opened as a page', '/assets/app.1234.js', html, false],
    ['a file taken for a folder', '/index.html/', html, false],
    ['something that accepts anything', '/users', ['Accept', '*/*'], false],
    ['something that accepts nothing', '/users', [], false],
    ['something that refuses html', '/users', ['Accept', 'text/html;q=0, */*'], false],
    ['a script without extension', '/module', [...html, 'Sec-Fetch-Dest', 'script'], false],
    ['a fetch', '/api', [...html, 'Sec-Fetch-Dest', 'empty'], false],
    ['a dotfile', '/.env', html, false],
    ['a traversal', '/../x', html, false],
  ])('T22: %s', async (_name, path, fields, isPage) => {
    folder.write('index.html', 'the app');
    const handler = create({ fallback: '/index.html' });
    for (let i = 0; i < 2; i++) {
      const result = answer(handler, createExchange(path as string, fields as string[]));
      if (isPage) expect((await readBody(result as Reply)).toString()).toBe('the app');
      else expect([result.status, result.fields]).toEqual([404, ['Cache-Control', 'no-store']]);
    }
  });

  it('T21: a file, then the index of a folder, come before it', async () => {
    folder.write('index.html', 'the app');
    folder.write('page', 'a file');
    folder.write('docs/index.html', 'docs');
    const handler = create({ fallback: '/index.html' });
    expect((await readBody(get(handler, '/page', html))).toString()).toBe('a file');
    expect((await readBody(get(handler, '/docs/', html))).toString()).toBe('docs');
    expect(get(handler, '/docs', html).status).toBe(301);
  });

  it('answers conditionally too, and is not found when its file is missing', () => {
    folder.write('index.html', 'the app');
    const handler = create({ fallback: '/index.html', stripPrefix: '/app' });
    const reply = get(handler, '/app/x', html);
    const etag = getField(reply.fields, 'etag') as string;
    expect(get(handler, '/app/y', [...html, 'If-None-Match', etag]).status).toBe(304);
    expect(getCode(handler, '/index.html', html)).toBe('TSS_NOT_FOUND');
    expect(getCode(create({ fallback: '/none.html' }), '/x', html)).toBe('TSS_NOT_FOUND');
  });
});
