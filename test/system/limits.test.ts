import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openRawSocket, type RawSocket } from '../support/raw-socket.ts';
import { startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const routes = [{ path: '/', return: { status: 200, body: 'x' } }];
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** CPU time that a process and its children have used, in ms. */
function readCpuMs(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  const [, fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const values = fields.split(' ');
  const own = (Number(values[11]) + Number(values[12])) * 10;
  return own + children.reduce((sum, child) => sum + readCpuMs(Number(child)), 0);
}

describe('V16 V17: the limit of connections', () => {
  it('is kept by closing an idle connection; with none idle a new one is answered 503', async () => {
    const server = await startServer({ workers: 1, limits: { connections: 3 }, routes });
    const open: RawSocket[] = [];
    for (let i = 0; i < 3; i++) {
      const raw = await openRawSocket(server.port);
      await raw.send(get);
      await raw.readReplies(1);
      open.push(raw);
    }
    const fourth = await openRawSocket(server.port);
    await fourth.send(get);
    expect((await fourth.readReplies(1))[0].status).toBe(200);
    await waitUntil('an idle one was closed for it', () => open.some(({ closedBy }) => closedBy !== null));
    const busy = [fourth, ...open.filter(({ closedBy }) => closedBy === null)];
    for (const raw of busy) await raw.send('GET / HTTP/1.1\r\n');
    await sleep(50);
    const refused = await openRawSocket(server.port);
    await refused.send(get);
    const [reply] = await refused.readReplies(1);
    expect(reply.status).toBe(503);
    expect(reply.fields).toContainEqual(['Retry-After', '1']);
    await server.process.waitForStderr(/the limit is reached/);
    for (const raw of busy) raw.destroy();
    await waitUntil('there is room again', async () => (await fetch(server.url)).status === 200);
  });

  it('by address refuses that address alone', async () => {
    const server = await startServer({ workers: 1, limits: { connectionsPerAddress: 2 }, routes });
    await Promise.all([openRawSocket(server.port), openRawSocket(server.port)]);
    const third = await openRawSocket(server.port);
    await third.send(get);
    expect((await third.readReplies(1))[0].status).toBe(503);
    const other = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    other.end(get);
    const text = await new Promise<string>((resolve) =>
      other.once('data', (bytes) => resolve(bytes.toString())),
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    other.destroy();
  });
});

describe('V17: file descriptors that run out', () => {
  it('cost new connections, not the process, nor its CPU; and it recovers', async () => {
    const server = await startServer(
      { workers: 1, routes: [{ path: '/', static: 'public' }] },
      { files: { 'public/index.html': 'home' }, before: ['prlimit', '--nofile=256:256'] },
    );
    const warm = await openRawSocket(server.port);
    await warm.send(get);
    await warm.readReplies(1);
    const flood = await Promise.all(
      Array.from({ length: 500 }, () => openRawSocket(server.port).catch(() => null)),
    );
    await sleep(300);
    const cpuBefore = readCpuMs(server.process.pid);
    await sleep(1000);
    expect(readCpuMs(server.process.pid) - cpuBefore).toBeLessThan(300);
    await warm.send(get);
    expect((await warm.readReplies(2))[1].status).toBe(200);
    for (const raw of flood) raw?.destroy();
    await waitUntil('new connections are answered again', async () => {
      const response = await fetch(server.url, { headers: { Connection: 'close' } }).catch(() => null);
      return response?.status === 200;
    });
    expect(server.process.isRunning).toBe(true);
  });
});

describe('V16: a thousand clients that drip', () => {
  it('are cut off by the header timeout, and do not slow down a healthy one', async () => {
    const server = await startServer({ workers: 1, timeouts: { header: '2s' }, routes });
    const drippers = await Promise.all(Array.from({ length: 1000 }, () => openRawSocket(server.port)));
    const timer = setInterval(() => {
      for (const raw of drippers) if (raw.closedBy === null) raw.socket.write('G');
    }, 400);
    let slowestMs = 0;
    for (let i = 0; i < 20; i++) {
      const startedAtMs = performance.now();
      expect((await fetch(server.url)).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - startedAtMs);
      await sleep(50);
    }
    expect(slowestMs).toBeLessThan(500);
    await waitUntil(
      'all of them are cut off',
      () => drippers.every(({ closedBy }) => closedBy !== null),
      10_000,
    );
    clearInterval(timer);
    expect((await fetch(server.url)).status).toBe(200);
  });
});
