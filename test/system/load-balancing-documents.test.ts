// The examples of docs/load-balancing.md, but for those about addresses, do what the document says, with real servers
// in place of the addresses in them.

import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type NodeUpstream, startNodeUpstream } from '../support/node-upstream.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const markdown = readFileSync(`${repositoryRoot}docs/load-balancing.md`, 'utf8');

/** How each server answers; by default with its name. */
const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
const servers = new Map<string, NodeUpstream>();

beforeAll(async () => {
  for (const [port, name] of [
    ['3001', 'a'],
    ['3002', 'b'],
    ['3003', 'c'],
  ]) {
    const upstream = await startNodeUpstream(name, (request, response) => {
      const answer = answers.get(name);
      if (answer === undefined) response.end(name);
      else answer(request, response);
    });
    servers.set(port, upstream);
  }
});
beforeEach(() => answers.clear());

/** Starts the examples of a section, the real servers in place of those in the text. */
async function start(heading: string): Promise<StartedServer> {
  const from = markdown.indexOf(`# ${heading}\n`);
  const example = /^```jsonc\n([\s\S]*?)^```$/m.exec(markdown.slice(from))?.[1];
  if (from === -1 || example === undefined) throw new Error(`no example under ${heading}`);
  const text = example.replace(/http:\/\/127\.0\.0\.1:(\d+)/g, (url, port) => servers.get(port)?.url ?? url);
  const { listen: _, ...site } = parse(text) as SiteConfig;
  return startServer({ ...site, workers: 1 });
}

const ask = async (server: StartedServer, path = '/', init: RequestInit = {}) => {
  const reply = await fetch(server.url + path, init);
  return `${reply.status} ${await reply.text()}`;
};

async function askMany(server: StartedServer, count: number, path = '/'): Promise<string> {
  let names = '';
  for (let i = 0; i < count; i++) names += (await (await fetch(server.url + path)).text()).trim();
  return names;
}

const fail = (status: number) => (_: IncomingMessage, response: ServerResponse) => {
  response.statusCode = status;
  response.end('no');
};

describe('docs/load-balancing.md has examples of', () => {
  test('weights and backups', async () => {
    const server = await start('Choosing a server');
    expect(await askMany(server, 8)).toBe('aabaaaba');
    answers.set('a', (request) => request.socket.destroy());
    answers.set('b', (request) => request.socket.destroy());
    expect(await askMany(server, 3)).toBe('ccc');
  });

  test('a hash', async () => {
    const server = await start('By hash');
    const names = new Set<string>();
    for (let user = 0; user < 12; user++) {
      const first = await askMany(server, 1, `/?user=${user}`);
      expect(await askMany(server, 2, `/?user=${user}`)).toBe(first + first);
      names.add(first);
    }
    expect([...names].sort().join('')).toBe('abc');
    expect([...(await askMany(server, 3))].sort().join('')).toBe('abc');
  });

  test('a server with room for one', async () => {
    const server = await start('Some servers are special');
    const held: ServerResponse[] = [];
    answers.set('a', (_, response) => void held.push(response));
    const first = ask(server);
    await waitUntil('the first is there', () => held.length === 1);
    const second = ask(server);
    // One waits, one more is too many: which of them comes first is not for sure.
    const third = ask(server);
    expect(await Promise.race([second, third])).toMatch(/^503 /);
    held.shift()?.end('done');
    await waitUntil('the one that waited is there', () => held.length === 1);
    held.shift()?.end('done');
    expect((await Promise.all([first, second, third])).sort()).toEqual([
      '200 done',
      '200 done',
      expect.stringMatching(/^503 /),
    ]);
  });

  test('a sticky cookie', async () => {
    const server = await start('Binding clients to servers');
    const first = await fetch(server.url);
    const name = await first.text();
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^server=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    for (let i = 0; i < 4; i++) {
      const next = await fetch(server.url, { headers: { Cookie: cookie.split(';')[0] } });
      expect([await next.text(), next.headers.get('set-cookie')]).toEqual([name, null]);
    }
  });

  test('retries', async () => {
    const server = await start('Retries');
    answers.set('a', fail(503));
    expect(await ask(server)).toBe('200 b');
    answers.set('b', fail(503));
    answers.set('c', fail(503));
    // Two tries and no more; and none for what might be done twice.
    const before = [...servers.values()].reduce((sum, { requestCount }) => sum + requestCount, 0);
    expect(await ask(server)).toBe('503 no');
    expect(await ask(server, '/', { method: 'POST' })).toBe('503 no');
    const after = [...servers.values()].reduce((sum, { requestCount }) => sum + requestCount, 0);
    expect(after - before).toBe(3);
  });

  test('outliers', async () => {
    const server = await start('When a server fails');
    answers.set('a', fail(500));
    for (let i = 0; i < 9; i++) await ask(server);
    const before = servers.get('3001')?.requestCount;
    expect([...(await askMany(server, 8))].sort().join('')).toBe('bbbbcccc');
    expect(servers.get('3001')?.requestCount).toBe(before);
    await server.process.waitForStderr(/is out for 30 s: it answered 500 again and again/);
  });

  test('health checks', async () => {
    const text = { a: '"ok"' };
    answers.set('a', (request, response) => response.end(request.url === '/healthz' ? text.a : 'a'));
    answers.set('b', (request, response) => response.end(request.url === '/healthz' ? '"ok"' : 'b'));
    const server = await start('Health checks');
    expect([...(await askMany(server, 4))].sort().join('')).toBe('aabb');
    text.a = '"sick"';
    await server.process.waitForStderr(/does not pass its health check: its answer does not match "ok"/);
    expect(await askMany(server, 4)).toBe('bbbb');
    text.a = '"ok"';
    await server.process.waitForStderr(/is well/);
    expect([...(await askMany(server, 4))].sort().join('')).toBe('aabb');
  });

  test('times', async () => {
    const server = await start('Times');
    expect(await ask(server)).toBe('200 a');
    answers.set('a', () => {});
    expect(await ask(server)).toMatch(/^504 /);
    await server.process.waitForStderr(/TSS_UPSTREAM_TIMEOUT.*it took too long in all/);
  });

  test('a log of tries', async () => {
    const server = await start('What can be seen');
    expect(await ask(server)).toBe('200 a');
    const log = join(server.folder, 'access.log');
    await waitUntil('the line is written', () => readFileSync(log, 'utf8') !== '');
    expect(readFileSync(log, 'utf8')).toMatch(
      /^200 127\.0\.0\.1:3999, 127\.0\.0\.1:\d+ 502, 200 refused, answered\n$/,
    );
  });
});
