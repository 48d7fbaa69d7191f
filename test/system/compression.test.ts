// Compression through the started server: static files, applications, and the examples of docs/compression.md.

import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync } from 'node:zlib';
import { parse } from 'jsonc-parser';
import { beforeAll, describe, expect, test } from 'vitest';
import { openRawSocket } from '../support/raw-socket.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const script = Array.from(
  { length: 9_000 },
  (_, i) => `export const name${i} = ${(i * 7_919) % 1_000};\n`,
).join('');
const largeScript = script.repeat(3);
const files = {
  'public/a.js': script,
  'public/large.js': largeScript,
  'public/small.js': 'x'.repeat(1_000),
  'public/photo.png': 'p'.repeat(5_000),
  'public/account/a.js': script,
  'apps/events.mjs': readFileSync(new URL('applications/streams.mjs', import.meta.url)),
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function ask(url: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

function decode({ headers, body }: Answer): string {
  const encoding = headers['content-encoding'];
  if (encoding === 'gzip') return gunzipSync(body).toString();
  return (encoding === 'br' ? brotliDecompressSync(body) : body).toString();
}

describe('static files', () => {
  let server: StartedServer;
  const get = (path: string, acceptEncoding?: string, headers: OutgoingHttpHeaders = {}, method = 'GET') =>
    ask(
      server.url + path,
      acceptEncoding === undefined ? headers : { ...headers, 'Accept-Encoding': acceptEncoding },
      method,
    );

  beforeAll(async () => {
    const levels = { levels: { gzip: 1, br: 1 }, keptLevels: { br: 6 } };
    const routes = [{ path: '/', static: 'public' }];
    server = await startServer({ workers: 1, compress: levels, routes }, { files });
  });

  test.each(['gzip', 'br'])(
    'come in %s, smaller after their second use, with tags of their own (T27)',
    async (encoding) => {
      const plain = await get('/a.js');
      expect(plain.headers).toMatchObject({
        vary: 'Accept-Encoding',
        'content-length': String(script.length),
      });
      const first = await get('/a.js', encoding);
      expect(first.headers).toMatchObject({ vary: 'Accept-Encoding', 'content-encoding': encoding });
      expect(first.headers.etag).toBe(`W/${plain.headers.etag?.slice(0, -1)}-${encoding}"`);
      expect(first.headers['accept-ranges']).toBeUndefined();
      let last = first;
      await waitUntil('a smaller one is there', async () => {
        last = await get('/a.js', encoding);
        expect(decode(last)).toBe(script);
        return last.body.length < first.body.length;
      });
      expect(last.headers.etag).toBe(first.headers.etag);
      expect(last.headers['content-length']).toBe(String(last.body.length));
      const head = await get('/a.js', encoding, {}, 'HEAD');
      const { date: _, ...header } = head.headers;
      expect(last.headers).toMatchObject(header);
    },
  );

  test.each(['/a.js', '/large.js'])(
    'are revalidated by the tag of the coding, and by no other: %s (T27)',
    async (path) => {
      const gzip = await get(path, 'gzip');
      const match = { 'If-None-Match': gzip.headers.etag };
      const unchanged = await get(path, 'gzip', match);
      expect(unchanged).toMatchObject({
        status: 304,
        headers: { etag: gzip.headers.etag, vary: 'Accept-Encoding' },
      });
      expect((await get(path, 'br', match)).status).toBe(200);
      expect((await get(path, undefined, match)).status).toBe(200);
    },
  );

  test('that are too large for memory are kept compressed', async () => {
    expect(decode(await get('/large.js', 'br'))).toBe(largeScript);
    const second = await get('/large.js', 'br');
    expect(second.headers['content-length']).toBe(String(second.body.length));
    expect(decode(second)).toBe(largeScript);
  });

  test.each(['/a.js', '/large.js'])('are answered in plain ranges: %s (T26)', async (path) => {
    const whole = path === '/a.js' ? script : largeScript;
    await get(path, 'gzip');
    const part = await get(path, 'gzip, br', { Range: 'bytes=100-199' });
    expect(part.status).toBe(206);
    expect(part.body.toString()).toBe(whole.slice(100, 200));
    expect(part.headers).toMatchObject({ vary: 'Accept-Encoding', 'content-length': '100' });
    expect(part.headers['content-encoding']).toBeUndefined();
    const gzip = await get(path, 'gzip');
    const resumed = await get(path, 'gzip', { Range: 'bytes=100-', 'If-Range': gzip.headers.etag });
    expect(resumed.status).toBe(200);
    expect(decode(resumed)).toBe(whole);
  });

  test.each(['/small.js', '/photo.png'])('are left alone when that is better: %s', async (path) => {
    const { headers } = await get(path, 'gzip, br');
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers.vary).toBeUndefined();
  });

  test('that lie there compressed are left as they are, and the others compressed', async () => {
    const neighbours = { 'public/a.js': script, 'public/a.js.br': brotliCompressSync(script) };
    const routes = [{ path: '/', static: { root: 'public', precompressed: ['br'] } }];
    const { url } = await startServer({ workers: 1, compress: true, routes }, { files: neighbours });
    for (const encoding of ['br', 'gzip', 'br', 'gzip']) {
      const answer = await ask(`${url}/a.js`, { 'Accept-Encoding': encoding });
      expect(answer.headers).toMatchObject({ 'content-encoding': encoding, vary: 'Accept-Encoding' });
      expect(decode(answer)).toBe(script);
      expect(answer.body.equals(neighbours['public/a.js.br'])).toBe(encoding === 'br');
      const match = { 'Accept-Encoding': encoding, 'If-None-Match': answer.headers.etag };
      const unchanged = await ask(`${url}/a.js`, match);
      expect(unchanged).toMatchObject({
        status: 304,
        headers: { etag: answer.headers.etag, vary: 'Accept-Encoding' },
      });
    }
  });

  test('are compressed anew when they change, within a second', async () => {
    const routes = [{ path: '/', static: 'public' }];
    const { url, folder } = await startServer({ workers: 1, compress: true, routes }, { files });
    for (const content of [script, script.toUpperCase(), largeScript.toUpperCase()]) {
      writeFiles(folder, { 'public/a.js': content, 'public/large.js': content });
      for (const path of ['/a.js', '/large.js']) {
        await waitUntil('the new content is there', async () => {
          return decode(await ask(url + path, { 'Accept-Encoding': 'gzip' })) === content;
        });
      }
    }
  });

  test.each([
    ',,,,,',
    'gzip;q=99999999999999999999',
    'gzip;q=0, br;q=0, *;q=0, identity;q=0',
    `${'a,'.repeat(3_000)}gzip`,
    'gzip\u00ff',
    '*;q=-1',
    '__proto__;q=1',
  ])('are sent plain for Accept-Encoding: %s', async (value) => {
    const answer = await get('/a.js', value);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body.toString()).toBe(script);
  });

  test('go in one piece to clients that pipeline, and in HTTP/1.0', async () => {
    await get('/a.js', 'gzip');
    const raw = await openRawSocket(server.port);
    const line = 'GET /a.js HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n';
    await raw.send(line + line.replace('GET', 'HEAD') + line.replace('1.1', '1.0'));
    const replies = await raw.readReplies(3, ['GET', 'HEAD', 'GET']);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const i of [0, 2]) expect(gunzipSync(replies[i].body).toString()).toBe(script);
    expect(replies[1].body).toHaveLength(0);
  });

  test('are compressed by many at once, and asked for by clients who leave', async () => {
    const clients = Array.from({ length: 30 }, async (_, i) => {
      if (i % 3 === 0) {
        const raw = await openRawSocket(server.port);
        await raw.send(`GET /large.js?${i} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`);
        raw.destroy();
        return largeScript;
      }
      return decode(await get('/large.js', i % 3 === 1 ? 'gzip' : 'br'));
    });
    for (const text of await Promise.all(clients)) expect(text === largeScript).toBe(true);
  });
});

describe('an application', () => {
  let server: StartedServer;
  beforeAll(async () => {
    const routes = [
      { path: '/', proxy: 'app' },
      { path: '/plain/', proxy: { upstream: 'app', stripPrefix: '/plain' }, compress: false },
    ];
    const upstreams = { app: { app: 'apps/events.mjs', instances: 1 } };
    const compress = { types: ['text/*', 'application/json'] };
    server = await startServer({ workers: 1, upstreams, routes, compress }, { files });
  });
  const get = (path: string, headers: OutgoingHttpHeaders = {}, method = 'GET') =>
    ask(server.url + path, { 'Accept-Encoding': 'gzip', ...headers }, method);

  test.each([
    ['gzip', '/events'],
    ['br', '/events'],
    ['gzip', '/slow'],
    ['br', '/slow'],
  ])('has what it says shown at once, in %s: %s (T28)', async (encoding, path) => {
    const texts: string[] = [];
    const headers = { 'Accept-Encoding': encoding };
    const chunks: Buffer[] = [];
    let isAnswered = false;
    const sent = request(`${server.url}${path}`, { headers, agent: false }, (response) => {
      isAnswered = response.headers['content-encoding'] === encoding;
      response.on('error', () => {});
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        const all = Buffer.concat(chunks);
        const text =
          encoding === 'gzip'
            ? gunzipSync(all, { finishFlush: constants.Z_SYNC_FLUSH })
            : brotliDecompressSync(all, { finishFlush: constants.BROTLI_OPERATION_FLUSH });
        texts.push(text.toString());
      });
    });
    sent.on('error', () => {});
    sent.end();
    await waitUntil('the head is there', () => isAnswered);
    for (const said of ['data: 1\n\n', 'data: 1\n\ndata: 2\n\n']) {
      expect((await ask(`${server.url}/say`)).status).toBe(200);
      await waitUntil(`${JSON.stringify(said)} is there`, () => texts.at(-1) === said);
    }
    sent.destroy();
    await waitUntil('the application knows that its client left', async () => {
      return (await ask(`${server.url}/open`)).body.toString() === '0';
    });
  });

  test('has its long answers compressed, byte for byte', async () => {
    const answer = await get('/long');
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"long-gzip"' });
    const plain = await ask(`${server.url}/long`);
    expect(plain.headers.etag).toBe('"long"');
    expect(decode(answer) === plain.body.toString()).toBe(true);
  });

  test('is told of its own tag, and answers 304 with that of the coding', async () => {
    const unchanged = await get('/long', { 'If-None-Match': 'W/"long-gzip"' });
    expect(unchanged).toMatchObject({
      status: 304,
      headers: { etag: 'W/"long-gzip"', vary: 'Accept-Encoding' },
    });
    expect((await get('/long', { 'If-None-Match': 'W/"long-br"' })).status).toBe(200);
  });

  test('answers HEAD as GET', async () => {
    const got = await get('/long');
    const head = await get('/long', {}, 'HEAD');
    for (const name of ['content-type', 'content-encoding', 'etag', 'vary'])
      expect(head.headers[name]).toBe(got.headers[name]);
    expect(head.headers['content-length']).toBeUndefined();
  });

  test.each(['/encoded', '/no-transform', '/part', '/plain/long'])(
    'has this left alone: %s',
    async (path) => {
      const answer = await get(path);
      const same = await ask(server.url + path);
      expect(answer.body.equals(same.body)).toBe(true);
      expect(answer.headers['content-encoding']).toBe(same.headers['content-encoding']);
    },
  );

  test('has nothing compressed that another site asks for in the user’s name (V32)', async () => {
    const crossSite = { 'Sec-Fetch-Site': 'cross-site' };
    expect(
      (await get('/long', { ...crossSite, Cookie: 'sid=1' })).headers['content-encoding'],
    ).toBeUndefined();
    expect((await get('/long', crossSite)).headers['content-encoding']).toBe('gzip');
    expect((await get('/long', { Cookie: 'sid=1' })).headers['content-encoding']).toBe('gzip');
  });

  test('that breaks off in the middle is seen to break off', async () => {
    await expect(get('/broken')).rejects.toThrow();
  });
});

describe('the examples of docs/compression.md', () => {
  const markdown = readFileSync(`${repositoryRoot}docs/compression.md`, 'utf8');
  const examples = [...markdown.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
  const folder = createTempFolder(files);
  const start = (example: string) =>
    startServer({
      workers: 1,
      ...(parse(
        example.replaceAll('"../', `"${folder}/`).replace('apps/api.ts', `${folder}/apps/events.mjs`),
      ) as SiteConfig),
    });
  const findEncoding = async (url: string, acceptEncoding: string) =>
    (await ask(url, { 'Accept-Encoding': acceptEncoding })).headers['content-encoding'];

  test('of a site, and a route without', async () => {
    const { url } = await start(examples[0]);
    expect(await findEncoding(`${url}/a.js`, 'gzip, br')).toBe('br');
    expect(await findEncoding(`${url}/account/a.js`, 'gzip, br')).toBeUndefined();
  });

  test('of all keys', async () => {
    const { url } = await start(examples[1]);
    expect(await findEncoding(`${url}/a.js`, 'gzip, br, zstd')).toBe('gzip');
    expect(await findEncoding(`${url}/a.js`, 'zstd')).toBeUndefined();
    expect(await findEncoding(`${url}/a.js`, 'zstd, br')).toBe('br');
  });

  test('of event streams', async () => {
    const { url } = await start(examples[2]);
    const answered = new Promise<string | undefined>((resolve) => {
      const sent = request(`${url}/events/`, { headers: { 'Accept-Encoding': 'br, gzip' } }, (response) => {
        resolve(response.headers['content-encoding']);
        response.on('error', () => {});
        sent.destroy();
      });
      sent.on('error', () => {});
      sent.end();
    });
    expect(await answered).toBe('gzip');
  });

  test('and no others', () => {
    expect(examples).toHaveLength(3);
  });
});
