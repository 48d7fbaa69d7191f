// The examples of docs/proxy.md do what the document says, with real servers in place of the addresses in them.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:http';
import { parse } from 'jsonc-parser';
import { beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type NodeUpstream, startNodeUpstream } from '../support/node-upstream.ts';
import { exchangeBytes } from '../support/raw-socket.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const markdown = readFileSync(`${repositoryRoot}docs/proxy.md`, 'utf8');
const examples = [...markdown.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);

/** What the upstreams answer beside what they got. */
let fields: Record<string, string | string[]> = {};
let first: NodeUpstream;
let second: NodeUpstream;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    response.end(
      JSON.stringify({ url: request.url, headers: request.headers, body: Buffer.concat(chunks).length }),
    );
  });
}

beforeAll(async () => {
  first = await startNodeUpstream('first', answer);
  second = await startNodeUpstream('second', answer);
});

/** Starts an example with the real servers, its folder being ours. */
const start = (index: number): Promise<StartedServer> => {
  fields = {};
  const folder = createTempFolder({ 'report.pdf': 'a report' });
  const text = examples[index]
    .replaceAll('http://127.0.0.1:3000', first.url)
    .replaceAll('http://127.0.0.1:3001', second.url)
    .replaceAll('../public', folder);
  return startServer({ workers: 1, ...(parse(text) as SiteConfig) });
};

async function read(server: StartedServer, path: string, init?: RequestInit) {
  const reply = await fetch(server.url + path, { redirect: 'manual', ...init });
  return (await reply.json()) as { url: string; headers: Record<string, string>; body: number };
}

/** The fields of an answer, by fetch. */
const readHeaders = async (server: StartedServer, path = '/') =>
  (await fetch(server.url + path, { redirect: 'manual' })).headers;

test('where a request goes', async () => {
  const server = await start(0);
  expect(await read(server, '/a%2Fb?c')).toMatchObject({ url: '/a%2Fb?c' });
  expect((await read(server, '/old/x')).url).toBe('/x');
  expect(await read(server, '/shop/x')).toMatchObject({ url: '/v2/x', headers: { host: 'app.internal' } });
});

test('what an upstream is told', async () => {
  const server = await start(1);
  const headers = { 'X-Tenant': 'forged', 'True-Client-IP': '1.1.1.1', X_Real_IP: '1.1.1.1' };
  const got = (await read(server, '/', { headers })).headers;
  expect(got).toMatchObject({
    'x-tenant': '127.0.0.1',
    forwarded: `for=127.0.0.1;host="127.0.0.1:${server.port}";proto=http`,
    'x-real-ip': '127.0.0.1',
  });
  for (const name of ['accept-encoding', 'true-client-ip', 'x_real_ip']) expect(got).not.toHaveProperty(name);
});

test('what a client gets', async () => {
  const server = await start(2);
  fields = {
    'X-Powered-By': 'x',
    Server: 'inner',
    Location: 'http://app.internal/a',
    'Set-Cookie': ['session=1; Domain=app.internal; Path=/app/x; SameSite=None', 'b=1; SameSite=Strict'],
  };
  const got = await readHeaders(server);
  expect([got.get('x-powered-by'), got.get('server'), got.get('location')]).toEqual([null, 'inner', '/a']);
  expect(got.getSetCookie()).toEqual([
    'session=1; Domain=127.0.0.1; Path=/x; SameSite=Lax; Secure; HttpOnly',
    'b=1',
  ]);
  fields = { Location: 'http://shop.internal:81/b' };
  expect((await readHeaders(server)).get('location')).toBe('/shop/b');
});

test('S13: answers by another route', async () => {
  const server = await start(3);
  fields = {
    'X-Accel-Redirect': '/files/report.pdf',
    'X-Accel-Expires': '5',
    'Content-Disposition': 'attachment',
    'Content-Type': 'x/y',
  };
  for (const method of ['GET', 'POST']) {
    const reply = await fetch(`${server.url}/any`, { method, ...(method === 'POST' ? { body: 'x' } : {}) });
    expect([await reply.text(), reply.status]).toEqual(['a report', 200]);
    expect(reply.headers.get('content-disposition')).toBe('attachment');
    expect(reply.headers.get('content-type')).toBe('x/y');
    expect([...reply.headers.keys()].join()).not.toContain('accel');
  }
  expect((await fetch(`${server.url}/files/report.pdf`)).status).toBe(404);
  fields = { 'X-Accel-Limit-Rate': '1000', 'X-Filler': 'x' };
  const startMs = performance.now();
  expect((await (await fetch(`${server.url}/${'x'.repeat(500)}`)).text()).length).toBeGreaterThan(500);
  expect(performance.now() - startMs).toBeGreaterThan(250);
});

test('bodies', async () => {
  const server = await start(4);
  const body = Buffer.alloc(1_000_000, 'x');
  for (const path of ['/', '/upload/', '/reports/']) {
    expect((await read(server, path, { method: 'PUT', body })).body).toBe(body.length);
  }
});

test('shares of traffic', async () => {
  const server = await start(5);
  const ask = async (cookie: string) => {
    const { headers } = await fetch(server.url, { headers: { Cookie: cookie } });
    return [headers.get('x-upstream'), headers.get('set-cookie')];
  };
  expect(await ask('variant=canary')).toEqual(['second', null]);
  expect(await ask('variant=stable')).toEqual(['first', null]);
  const [upstream, cookie] = await ask('');
  expect(cookie).toContain(`variant=${upstream === 'first' ? 'stable' : 'canary'};`);
});

test('a mirror', async () => {
  const server = await start(6);
  const before = second.requestCount;
  for (let i = 0; i < 20; i++) {
    const reply = await fetch(server.url, { method: 'POST', body: 'x' });
    expect(reply.headers.get('x-upstream')).toBe('first');
    await reply.text();
  }
  await waitUntil('the copies', () => second.requestCount === before + 2);
});

test('WebSockets', async () => {
  const server = await start(7);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const [failure] = (await once(socket, 'error')) as [Error];
  // The servers here know of none: what they answer is what the client gets.
  expect(failure.message).toContain('200');
  const bytes = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  expect((await exchangeBytes(server.port, bytes)).bytes.toString()).toMatch(/^HTTP\/1\.1 200 /);
});

test('and no others', () => {
  expect(examples).toHaveLength(8);
});

test('T7: a client that expects to be asked for its body is asked', async () => {
  const server = await start(4);
  const sent = request(`${server.url}/upload/`, {
    method: 'PUT',
    headers: { Expect: '100-continue', 'Content-Length': '3' },
  });
  sent.flushHeaders();
  await once(sent, 'continue');
  sent.end('abc');
  const [reply] = (await once(sent, 'response')) as [IncomingMessage];
  expect(reply.statusCode).toBe(200);
  reply.resume();
});
