import { chmodSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import type { Reply } from '../../../src/message/reply.ts';
import { answerReply, createDeps, createExchange, readBody } from '../exchange.ts';
import { createSettings, SiteFolder, secret, waitForClosedFiles } from './site-folder.ts';

let folder: SiteFolder;
let handlers: Handler[];
const text = 'let a = 1;\n'.repeat(100);

beforeEach(() => {
  folder = new SiteFolder();
  handlers = [];
  folder.write('app.js', text);
});

afterEach(() => {
  for (const handler of handlers) handler.close();
  folder.remove();
});

function create(settings: Partial<StaticSettings> = {}): Handler {
  const all = { precompressed: ['br', 'zstd', 'gzip'] as const, ...settings };
  const handler = createStatic(createSettings(folder.root, all as Partial<StaticSettings>), createDeps());
  handlers.push(handler);
  return handler;
}

function get(handler: Handler, accepted: string | null, fields: string[] = [], path = '/app.js'): Reply {
  const all = accepted === null ? fields : ['Accept-Encoding', accepted, ...fields];
  return answerReply(handler, createExchange(path, all));
}

async function read(handler: Handler, accepted: string | null, path?: string): Promise<string> {
  const reply = get(handler, accepted, [], path);
  return `${getField(reply.fields, 'content-encoding') ?? 'none'}: ${(await readBody(reply)).toString()}`;
}

const ways = [
  ['from memory', {}],
  ['streamed', { cacheFileSize: 2 }],
  ['without a cache', { cacheSize: 0 }],
] as const;

describe.each(ways)('an encoded neighbour answered %s', (_name, settings) => {
  it('is chosen by Accept-Encoding', async () => {
    folder.write('app.js.br', 'BR');
    folder.write('app.js.gz', 'GZ');
    const handler = create(settings);
    for (let i = 0; i < 2; i++) {
      expect(await read(handler, 'gzip, deflate, br, zstd')).toBe('br: BR');
      expect(await read(handler, 'gzip')).toBe('gzip: GZ');
      expect(await read(handler, 'gzip, br;q=0.5')).toBe('gzip: GZ');
      expect(await read(handler, 'zstd')).toBe(`none: ${text}`);
      expect(await read(handler, 'br;q=0')).toBe(`none: ${text}`);
      expect(await read(handler, null)).toBe(`none: ${text}`);
    }
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('T27: has the type of the original, a tag of its own, and Vary on every 200 and 304', async () => {
    folder.write('app.js.br', brotliCompressSync(text));
    folder.write('app.js.gz', gzipSync(text));
    const handler = create(settings);
    const tags = new Set<string>();
    for (const accepted of ['br', 'gzip', 'identity']) {
      const reply = get(handler, accepted);
      await readBody(reply);
      const etag = getField(reply.fields, 'etag') as string;
      tags.add(etag);
      expect(getField(reply.fields, 'content-type')).toBe('text/javascript; charset=utf-8');
      expect(getField(reply.fields, 'vary')).toBe('Accept-Encoding');
      const unchanged = get(handler, accepted, ['If-None-Match', etag]);
      expect([unchanged.status, getField(unchanged.fields, 'etag')]).toEqual([304, etag]);
      expect(getField(unchanged.fields, 'vary')).toBe('Accept-Encoding');
      expect(getField(unchanged.fields, 'content-encoding')).toBeUndefined();
    }
    expect(tags.size).toBe(3);
    const [first] = tags;
    const other = get(handler, 'gzip', ['If-None-Match', first]);
    expect(other.status).toBe(200);
    await readBody(other);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('T26: is what a range is of', async () => {
    folder.write('app.js.br', '0123456789');
    const handler = create(settings);
    const part = get(handler, 'br', ['Range', 'bytes=2-3']);
    expect([part.status, getField(part.fields, 'content-range')]).toEqual([206, 'bytes 2-3/10']);
    expect(getField(part.fields, 'content-encoding')).toBe('br');
    expect((await readBody(part)).toString()).toBe('23');
    const plain = get(handler, null);
    await readBody(plain);
    const fields = ['Range', 'bytes=2-3', 'If-Range', getField(plain.fields, 'etag') as string];
    expect(get(handler, 'br', fields).status).toBe(200);
  });
});

describe('a neighbour', () => {
  it('is not served when it is older than its original', async () => {
    const old = new Date('2024-03-01T11:59:59Z');
    utimesSync(folder.write('app.js.br', 'OLD'), old, old);
    // The same second, as a compressor that keeps no fractions of it would leave it.
    const cut = new Date('2024-03-01T12:00:00Z');
    utimesSync(folder.write('app.js.gz', 'CUT'), cut, cut);
    expect(await read(create(), 'br')).toBe(`none: ${text}`);
    expect(await read(create(), 'br, gzip')).toBe('gzip: CUT');
  });

  it('that comes, goes or is outdated is seen at the next look', async () => {
    const handler = create({ cacheSize: 0 });
    expect(await read(handler, 'br')).toBe(`none: ${text}`);
    expect(getField(get(handler, 'br').fields, 'vary')).toBeUndefined();
    folder.write('app.js.br', 'BR');
    expect(await read(handler, 'br')).toBe('br: BR');
    folder.writeFresh('app.js', 'new');
    expect(await read(handler, 'br')).toBe('none: new');
    rmSync(join(folder.root, 'app.js'));
    expect(() => get(handler, 'br')).toThrow('TSS_NOT_FOUND');
  });

  it('of the index and of the page of an app is served too', async () => {
    folder.write('index.html', 'page');
    folder.write('index.html.br', 'BR');
    const handler = create({ fallback: '/index.html' });
    for (let i = 0; i < 2; i++) {
      expect(await read(handler, 'br', '/')).toBe('br: BR');
      const reply = get(handler, 'br', ['Accept', 'text/html'], '/users/7');
      expect([(await readBody(reply)).toString(), getField(reply.fields, 'content-type')]).toEqual([
        'BR',
        'text/html; charset=utf-8',
      ]);
    }
  });

  it('V8: that is a link to the outside, a folder or unreadable is none', async () => {
    writeFileSync(join(folder.base, 'secret'), secret);
    symlinkSync('../secret', join(folder.root, 'app.js.br'));
    folder.write('app.js.zst/x', secret);
    chmodSync(folder.write('app.js.gz', 'GZ'), 0o000);
    const answer = await read(create(), 'br, zstd, gzip');
    // Whoever runs this as root can read everything.
    expect([`none: ${text}`, 'gzip: GZ']).toContain(answer);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('is nothing special unless asked for', async () => {
    folder.write('app.js.br', 'BR');
    const handler = create({ precompressed: [] });
    expect(await read(handler, 'br')).toBe(`none: ${text}`);
    expect(await read(handler, 'br', '/app.js.br')).toBe('none: BR');
  });
});
