import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseInDirectory } from '../../src/config/shape/base-directory.ts';
import { Exchange } from '../../src/message/exchange.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { upstreamShape } from '../../src/upstream/upstream-shape.ts';
import { pause, readBody, startPeer, waitUntil } from '../http1/client-peer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { answer, call, facts, fetchError, fetchText, Surroundings } from './upstream-fixture.ts';

let around: Surroundings;
const servers: Server[] = [];
beforeEach(() => {
  around = new Surroundings();
});
afterEach(async () => {
  await around.close();
  for (const server of servers.splice(0)) server.close();
});

/** An instance that answers every request with its name. */
async function startInstance(
  folder: string,
  id: string,
): Promise<{ id: string; path: string; stop: () => void }> {
  const path = join(folder, `${id}.sock`);
  const open = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.on('data', () => socket.write(answer(id)));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    id,
    path,
    stop: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function createApp(folder: string, settings: object = {}): Upstream {
  const parsed = parseInDirectory(import.meta.dirname, () =>
    upstreamShape.parse({
      app: 'upstream.test.ts',
      interface: 'node',
      timeouts: { connect: '300ms' },
      ...settings,
    }),
  );
  return around.createFrom(parsed, folder);
}

describe('an application', () => {
  test('has its requests spread evenly over its instances', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder);
    around.instances.set(folder, 'running', [
      await startInstance(folder, 'a'),
      await startInstance(folder, 'b'),
      await startInstance(folder, 'c'),
    ]);
    const seen: Record<string, number> = {};
    for (let i = 0; i < 300; i++) {
      const name = await fetchText(upstream);
      seen[name] = (seen[name] ?? 0) + 1;
    }
    expect(seen).toEqual({ a: 100, b: 100, c: 100 });
  });

  test('keeps requests waiting until an instance is there', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder);
    const waiting = Promise.all([fetchText(upstream), fetchText(upstream, 'POST')]);
    await pause(30);
    around.instances.set(folder, 'running', [await startInstance(folder, 'late')]);
    expect(await waiting).toEqual(['late', 'late']);
  });

  test('keeps them waiting no longer than for a connection', async () => {
    const upstream = createApp('slow', { timeouts: { connect: '50ms' } });
    const startMs = performance.now();
    expect(await fetchError(upstream)).toMatchObject({
      code: 'TSS_UPSTREAM_UNAVAILABLE',
      detail: 'upstream slow: no instance became ready',
    });
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  test('that has failed answers 503 at once, also to those that waited', async () => {
    const upstream = createApp('broken', { timeouts: { connect: '5s' } });
    const waiting = fetchError(upstream);
    around.instances.set('broken', 'failed', []);
    const expected = {
      code: 'TSS_UPSTREAM_UNAVAILABLE',
      status: 503,
      detail: expect.stringContaining('has failed'),
    };
    expect(await waiting).toMatchObject(expected);
    expect(await fetchError(upstream)).toMatchObject(expected);
  });

  test('lets no more than a bounded number of requests wait', async () => {
    const upstream = createApp('busy', { timeouts: { connect: '5s' } });
    const waiting = Array.from({ length: 1024 }, () => call(upstream));
    expect(await fetchError(upstream)).toMatchObject({ status: 503 });
    around.instances.set('busy', 'failed', []);
    await Promise.all(waiting);
  });

  test('T11: that loses one of its instances loses no GET', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder);
    const instances = [
      await startInstance(folder, 'a'),
      await startInstance(folder, 'b'),
      await startInstance(folder, 'c'),
    ];
    around.instances.set(folder, 'running', instances);
    const seen: string[] = [];
    const client = async () => {
      for (let i = 0; i < 100; i++) seen.push(await fetchText(upstream));
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    setTimeout(() => instances[1].stop(), 5);
    await clients;
    expect(seen).toHaveLength(800);
    around.instances.set(folder, 'running', [instances[0], instances[2]]);
    expect(upstream.snapshot().map((peer) => peer.address)).toEqual([
      `unix:${instances[0].path}`,
      `unix:${instances[2].path}`,
    ]);
  });

  test('T11: that loses two instances to the same GET has it wait for room at the third', async () => {
    const upstream = createApp('two deaths', { concurrency: 1, timeouts: { connect: '5s' } });
    const dying = [await around.startPeer(() => null), await around.startPeer(() => null)];
    let finish = () => {};
    const third = await startPeer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        finish = () => void socket.write(answer('third'));
        socket.on('data', () => socket.write(answer('third')));
      });
    });
    const place = ({ address }: { address: { host: string; port: number } }, i: number) => ({
      id: `two deaths#${i}`,
      host: '127.0.0.1',
      port: address.port,
    });
    around.instances.set('two deaths', 'running', [place(third, 3)]);
    const busy = fetchText(upstream);
    await waitUntil(() => upstream.snapshot()[0].inFlight === 1);
    around.instances.set('two deaths', 'running', [place(third, 3), ...dying.map(place)]);
    const saved = call(upstream);
    await waitUntil(() => upstream.waiting === 1);
    finish();
    expect(await busy).toBe('third');
    expect((await saved).exchange.upstreamOutcome).toBe('cut, cut, answered');
    await third.close();
  });

  test('that loses its only instance answers from the next one', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder, { timeouts: { connect: '2s' } });
    const first = await startInstance(folder, 'first');
    around.instances.set(folder, 'running', [first]);
    expect(await fetchText(upstream)).toBe('first');
    first.stop();
    const waiting = fetchText(upstream);
    await pause(150);
    around.instances.set(folder, 'running', [await startInstance(folder, 'second')]);
    expect(await waiting).toBe('second');
  });

  test('has a request, about to be sent to an instance that leaves, sent to the next one without a failure', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder, { retries: { tries: 1 } });
    const first = await startInstance(folder, 'first');
    const second = await startInstance(folder, 'second');
    around.instances.set(folder, 'running', [first]);
    expect(await fetchText(upstream)).toBe('first');
    await pause(20);
    const late = call(upstream, 'POST');
    around.instances.set(folder, 'running', [second]);
    first.stop();
    expect(await readBody((await late).response)).toBe('second');
    expect(around.lines).toEqual([]);
  });

  test('has the idle connections of an instance that left closed', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder);
    const instance = await startInstance(folder, 'a');
    around.instances.set(folder, 'running', [instance]);
    await fetchText(upstream);
    const count = () => new Promise<number>((resolve) => servers[0].getConnections((_, n) => resolve(n)));
    expect(await count()).toBe(1);
    around.instances.set(folder, 'running', []);
    await pause(20);
    expect(await count()).toBe(0);
  });
});

describe('a reload', () => {
  test('keeps connections and health of a server that stays as it was', async () => {
    const peer = await around.startPeer(() => answer('x'));
    const dead = await around.findDeadUrl();
    const settings = { servers: [dead, peer.url] };
    const before = around.createUpstream(settings);
    await fetchText(before);
    const after = around.createUpstream(settings);
    before.close();
    expect(after.snapshot().map(({ state, idle }) => [state, idle])).toEqual([
      ['out', 0],
      ['up', 1],
    ]);
    await fetchText(after);
    expect(peer.sockets).toHaveLength(1);
  });

  test('closes what nobody uses any more, but lets requests come to their end', async () => {
    const peer = await around.startPeer((turn) => (turn === 0 ? answer('x') : ''));
    const upstream = around.createUpstream({ servers: [peer.url] });
    await Promise.all([fetchText(upstream), fetchText(upstream)]);
    const running = fetchText(upstream);
    await waitUntil(() => peer.requests.length === 3);
    const busy = peer.requests.length;
    upstream.close();
    expect(around.shared.size).toBe(0);
    await pause(10);
    const open = peer.sockets.filter((socket) => !socket.destroyed);
    expect(open).toHaveLength(1);
    open[0].write(answer('late'));
    expect(await running).toBe('late');
    expect(busy).toBe(3);
    await waitUntil(() => open[0].destroyed);
  });
});

describe('an application with limited concurrency', () => {
  /** An instance that answers when it is told to. */
  async function startSlowInstance(folder: string, id: string) {
    const path = join(folder, `${id}.sock`);
    const pending: (() => void)[] = [];
    let most = 0;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        pending.push(() => socket.write(answer(id)));
        most = Math.max(most, pending.length);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return {
      id,
      path,
      pending,
      most: () => most,
      answerOne: () => pending.shift()?.(),
    };
  }

  test('never has more requests at an instance, and serves who waits in the order of arrival', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder, { concurrency: 2, timeouts: { connect: '10s' } });
    const instance = await startSlowInstance(folder, 'a');
    around.instances.set(folder, 'running', [instance]);
    const order: number[] = [];
    const calls = Array.from({ length: 6 }, async (_, i) => {
      expect(await fetchText(upstream)).toBe('a');
      order.push(i);
    });
    for (let done = 0; done < 6; done++) {
      await waitUntil(() => instance.pending.length === Math.min(2, 6 - done));
      instance.answerOne();
      await waitUntil(() => order.length === done + 1);
    }
    await Promise.all(calls);
    expect(instance.most()).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('answers 503 with Retry-After at once when the queue is full too', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder, { concurrency: 1, queue: 1, timeouts: { connect: '10s' } });
    const instance = await startSlowInstance(folder, 'a');
    around.instances.set(folder, 'running', [instance]);
    const first = fetchText(upstream);
    const second = fetchText(upstream);
    const { error } = await call(upstream);
    expect(error).toMatchObject({ code: 'TSS_UPSTREAM_BUSY', status: 503, fields: ['Retry-After', '1'] });
    await waitUntil(() => instance.pending.length === 1);
    instance.answerOne();
    expect(await first).toBe('a');
    await waitUntil(() => instance.pending.length === 1);
    instance.answerOne();
    expect(await second).toBe('a');
  });

  test('answers 503 to who has waited too long', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder, { concurrency: 1, timeouts: { connect: '60ms' } });
    const instance = await startSlowInstance(folder, 'a');
    around.instances.set(folder, 'running', [instance]);
    const first = fetchText(upstream);
    expect((await fetchError(upstream)).code).toBe('TSS_UPSTREAM_BUSY');
    instance.answerOne();
    expect(await first).toBe('a');
  });

  test('gives the place of a client that left to the next', async () => {
    const folder = createTempFolder();
    const upstream = createApp(folder, { concurrency: 1, timeouts: { connect: '10s' } });
    const instance = await startSlowInstance(folder, 'a');
    around.instances.set(folder, 'running', [instance]);
    const exchange = new Exchange(facts, 'GET', '/', '1.1', [], 'test');
    const left = upstream.call(exchange, 'GET / HTTP/1.1\r\nHost: test\r\n', null, {
      onResponse: () => {},
      onFailure: () => {},
    });
    left.start();
    await waitUntil(() => instance.pending.length === 1);
    const second = fetchText(upstream);
    instance.pending.length = 0;
    left.abort();
    await waitUntil(() => instance.pending.length === 1);
    instance.answerOne();
    expect(await second).toBe('a');
  });
});

test('an instance is quiet when the last request that it had is over', async () => {
  const folder = createTempFolder();
  const upstream = createApp(folder);
  const path = join(folder, 'a.sock');
  let asked = false;
  let answerIt = () => {};
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      asked = true;
      answerIt = () => void socket.write(answer('a'));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  around.instances.set(folder, 'running', [{ id: 'a', path }]);
  const pending = fetchText(upstream);
  await waitUntil(() => asked);
  around.instances.set(folder, 'running', []);
  expect(around.instances.isQuiet('a')).toBe(false);
  answerIt();
  expect(await pending).toBe('a');
  await waitUntil(() => around.instances.isQuiet('a'));
});
