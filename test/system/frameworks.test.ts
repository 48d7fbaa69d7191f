import { createHash, randomBytes } from 'node:crypto';
import { request as sendRequest } from 'node:http';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The application of each framework, as a row: its name is its path. */
const frameworks = [
  { name: 'hono', file: 'hono.ts', interface: 'fetch' },
  { name: 'h3', file: 'h3.ts', interface: 'fetch' },
  { name: 'itty', file: 'itty-router.ts', interface: 'fetch' },
  { name: 'express', file: 'express.ts', interface: 'node' },
  { name: 'fastify', file: 'fastify.ts', interface: 'node' },
  { name: 'koa', file: 'koa.ts', interface: 'node' },
  { name: 'connect', file: 'connect.ts', interface: 'node' },
] as const;

let server: StartedServer;

beforeAll(async () => {
  const folder = `${repositoryRoot}test/system/applications`;
  server = await startServer(
    {
      workers: 1,
      limits: { body: '100m' },
      upstreams: Object.fromEntries(
        frameworks.map(({ name, file, interface: kind }) => [
          name,
          { app: `${folder}/${file}`, interface: kind },
        ]),
      ),
      routes: frameworks.map(({ name }) => ({ path: `/${name}/`, proxy: name })),
    },
    { timeoutMs: 40_000 },
  );
});

const get = (path: string, init?: RequestInit) =>
  fetch(`${server.url}${path}`, { redirect: 'manual', ...init });
const post = (path: string, body: string | Uint8Array<ArrayBuffer> = '', type = 'application/json') =>
  get(path, { method: 'POST', body, headers: { 'Content-Type': type } });

describe.each(frameworks)('G2, G3: an application as it is: $name', ({ name }) => {
  it('gets parameters and the query', async () => {
    const hello = (await (await get(`/${name}/hello/you?q=a%20b`)).json()) as object;
    expect(hello).toMatchObject({ hello: 'you', query: 'a b' });
  });

  it('gets a JSON body, and sends it back', async () => {
    const body = JSON.stringify({ big: 'ü'.repeat(50_000) });
    const echo = await post(`/${name}/echo`, body);
    expect([echo.status, await echo.text()]).toEqual([201, body]);
  });

  it('G28: redirects with two cookies', async () => {
    const response = await get(`/${name}/cookies`);
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(new RegExp(`^/${name}/hello/`)),
    ]);
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    expect(cookies).toEqual(['a=1', 'b=2']);
  });

  it('answers an error with 500, what is not there with 404, and lives', async () => {
    const failed = await get(`/${name}/throw`);
    expect(failed.status).toBe(500);
    await failed.body?.cancel();
    const missing = await get(`/${name}/nowhere`);
    expect(missing.status).toBe(404);
    await missing.body?.cancel();
    expect((await get(`/${name}/hello/you`)).status).toBe(200);
  });

  it('G23: streams, the first part arrives before there is a second', async () => {
    const response = await get(`/${name}/stream`);
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    expect((await reader.read()).value).toBe('one,');
    await post(`/${name}/open`, 'go', 'text/plain');
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    expect(rest).toBe('two,three');
  });

  it('G24, T5: sends an event at once, and learns that its reader is gone', async () => {
    const before = Number(await (await get(`/${name}/ended`)).text());
    const abort = new AbortController();
    const response = await get(`/${name}/events`, { signal: abort.signal });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('data: 1\n\n');
    abort.abort();
    await waitUntil(
      'the end of the stream',
      async () => Number(await (await get(`/${name}/ended`)).text()) === before + 1,
    );
  });

  it('G14: digests 96 MiB without holding them', async () => {
    const piece = randomBytes(2 ** 20);
    const hash = createHash('sha256');
    const answer = await new Promise<string>((resolve, reject) => {
      const request = sendRequest(`${server.url}/${name}/digest`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/octet-stream' },
      });
      request.on('error', reject).on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(text)).on('error', reject);
      });
      let sent = 0;
      const send = (): void => {
        while (sent++ < 96) {
          hash.update(piece);
          if (!request.write(piece)) return void request.once('drain', send);
        }
        request.end();
      };
      send();
    });
    const { bytes, sha256, grownMiB } = JSON.parse(answer) as { [key: string]: unknown; grownMiB: number };
    expect({ bytes, sha256 }).toEqual({ bytes: 96 * 2 ** 20, sha256: hash.digest('hex') });
    expect(grownMiB).toBeLessThan(64);
  });
});

test('T18: Express sees the client, the host and the scheme of the first hop, and no forged ones', async () => {
  const response = await get('/express/hello/x', {
    headers: { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' },
  });
  const { hostname } = new URL(server.url);
  expect(await response.json()).toMatchObject({ ip: '127.0.0.1', hostname, protocol: 'http' });
});

test('T6: h3 reads a form with a file of 5 MiB', async () => {
  const bytes = randomBytes(5 * 2 ** 20);
  const form = new FormData();
  form.set('field', 'ü"\r\n');
  form.set('file', new File([bytes], 'a b".bin'));
  const response = await get('/h3/form', { method: 'POST', body: form });
  expect(await response.json()).toEqual({
    field: 'ü"\r\n',
    name: 'a b".bin',
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
});
