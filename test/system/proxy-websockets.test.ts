import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { cleanUpLater } from '../support/clean-up.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const sockets = new Set<Socket>();
let config: object;
let server: StartedServer;

/** A server that echoes every message, and answers pings as the protocol has it. */
async function startEcho(): Promise<string> {
  const http: Server = createServer((_, response) => response.end('http'));
  const echo = new WebSocketServer({ server: http, maxPayload: 64 * 1024 * 1024 });
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  echo.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', 2048, resolve));
  cleanUpLater(() => {
    for (const socket of sockets) socket.destroy();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as { port: number }).port}`;
}

async function open(path = '/'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`);
  socket.on('error', () => {});
  await new Promise((resolve, reject) => socket.once('open', resolve).once('close', reject));
  return socket;
}

async function ask(socket: WebSocket, data: string | Buffer): Promise<Buffer> {
  const answer = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(data);
  return (await answer)[0];
}

/** Descriptors of the process that serves. */
const countFiles = () => readdirSync(`/proc/${server.process.pid}/fd`).length;

beforeAll(async () => {
  const echo = { servers: [await startEcho()] };
  config = {
    workers: 0,
    upstreams: { echo },
    routes: [
      { path: '/', proxy: 'echo' },
      { path: '/brief/', proxy: { upstream: 'echo', tunnelTimeout: '1s' } },
    ],
  };
  // A word about anything deprecated would end the process.
  const env = { NODE_OPTIONS: '--throw-deprecation --pending-deprecation' };
  server = await startServer(config as { [key: string]: unknown }, { env });
});

describe('a WebSocket through the server', () => {
  test('T40: carries text, binary and fragmented messages, pings and the reason of a close, with nothing deprecated', async () => {
    const socket = await open('/chat?a=1');
    expect((await ask(socket, 'hello')).toString()).toBe('hello');
    const bytes = Buffer.from(Array.from({ length: 5_000_000 }, (_, i) => i % 251));
    expect((await ask(socket, bytes)).equals(bytes)).toBe(true);
    const answer = once(socket, 'message') as Promise<[Buffer]>;
    for (const part of ['one ', 'two ']) socket.send(part, { fin: false });
    socket.send('three', { fin: true });
    expect((await answer)[0].toString()).toBe('one two three');
    const pong = once(socket, 'pong') as Promise<[Buffer]>;
    socket.ping('are you there');
    expect((await pong)[0].toString()).toBe('are you there');
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    socket.close(4000, 'done');
    expect((await closed)[0]).toBe(4000);
    expect(server.process.isRunning).toBe(true);
    expect(server.process.stderr).not.toMatch(/deprecat/i);
  });

  test('T4: is one of a thousand, all at once; killed, they leave nothing behind', async () => {
    await ask(await open(), 'warm').then(() => {});
    await waitUntil('the sockets before are gone', () => sockets.size <= 1);
    const before = countFiles();
    const all: WebSocket[] = [];
    while (all.length < 1000) all.push(...(await Promise.all(Array.from({ length: 50 }, () => open()))));
    const answers = await Promise.all(all.map((socket, i) => ask(socket, `number ${i}`)));
    expect(answers.every((answer, i) => answer.toString() === `number ${i}`)).toBe(true);
    expect(countFiles()).toBeGreaterThan(before + 1900);
    // Half of them end abruptly at this side, the others at the other one.
    for (const socket of all.slice(0, 500)) socket.terminate();
    await waitUntil('those are gone at the upstream', () => sockets.size <= 501, 30_000);
    for (const socket of sockets) socket.resetAndDestroy();
    await waitUntil('every client was told', () => all.every((socket) => socket.readyState === 3), 30_000);
    await waitUntil('no descriptor is left', () => countFiles() <= before, 30_000);
    expect((await ask(await open(), 'still here')).toString()).toBe('still here');
  }, 120_000);

  test('T13: lives through a reload, on a route that stays and on one that goes', async () => {
    const socket = await open();
    const brief = await open('/brief/');
    const closed = once(brief, 'close');
    server.writeConfig({
      ...config,
      routes: [
        { path: '/', proxy: 'echo' },
        { path: '/new', return: 204 },
      ],
    });
    server.process.sendSignal('SIGHUP');
    await waitUntil('the new config', async () => (await fetch(`${server.url}/new`)).status === 204);
    expect((await ask(socket, 'after')).toString()).toBe('after');
    await closed;
    socket.terminate();
  });

  test('V3: of h2c is no upgrade, CONNECT is refused, and the next request has its own answer', async () => {
    const raw = await openRawSocket(server.port);
    const fields =
      'Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    await raw.send(`GET / HTTP/1.1\r\n${fields}\r\nGET /new HTTP/1.1\r\nHost: a\r\n\r\n`);
    const replies = await raw.readReplies(2);
    expect(replies.map(({ status, body }) => `${status} ${body}`)).toEqual(['200 http', '204 ']);
    const tunnel = await openRawSocket(server.port);
    await tunnel.send('CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n');
    const [refusal] = await tunnel.readReplies(1);
    expect(refusal.status).toBe(405);
    await tunnel.readUntilClose();
  });
});
