import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Exchange } from '../../src/message/exchange.ts';
import { PeerCounters } from '../../src/upstream/peer-counters.ts';
import { PieceSource, pause, readAll, startPeer, waitUntil } from '../http1/client-peer.ts';
import { answer, call, facts, fetchError, fetchText, Surroundings } from './upstream-fixture.ts';

let around: Surroundings;
beforeEach(() => {
  around = new Surroundings();
});
afterEach(() => around.close());

const reset = () => null;

describe('a request', () => {
  test('is answered, and the try is noted for the log', async () => {
    const peer = await around.startPeer(() => answer('hello'));
    const upstream = around.createUpstream({ servers: [peer.url] });
    const { exchange } = await call(upstream);
    expect(exchange.upstreamAddress).toBe(peer.url.slice(7));
    expect(exchange.upstreamStatus).toBe('200');
    expect(exchange.upstreamTime).toMatch(/^0\.\d{3}$/);
    expect(exchange.upstreamOutcome).toBe('answered');
    expect(upstream.snapshot()).toEqual([
      {
        address: peer.url.slice(7),
        state: 'up',
        backup: false,
        weight: 1,
        inFlight: 0,
        idle: 1,
        requests: 1,
        failures: 0,
        circuit: 'closed',
        check: null,
        ejected: false,
        responseMs: expect.any(Number),
        counters: { ...new PeerCounters() },
      },
    ]);
  });

  test('rides the connection that was used last', async () => {
    const peer = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [peer.url] });
    await Promise.all([fetchText(upstream), fetchText(upstream), fetchText(upstream)]);
    expect(peer.sockets).toHaveLength(3);
    for (let i = 0; i < 5; i++) await fetchText(upstream);
    expect(peer.sockets).toHaveLength(3);
    expect(upstream.snapshot()[0].idle).toBe(3);
  });

  test('leaves no more idle connections than are to be kept', async () => {
    const peer = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [peer.url], keepalive: 1 });
    await Promise.all([fetchText(upstream), fetchText(upstream), fetchText(upstream)]);
    expect(upstream.snapshot()[0].idle).toBe(1);
  });

  test('T9: leaves no idle connection to a peer that says it closes within a second', async () => {
    const peer = await around.startPeer(() => answer('x', 'Keep-Alive: timeout=1\r\n'));
    const upstream = around.createUpstream({ servers: [peer.url] });
    await fetchText(upstream);
    expect(upstream.snapshot()[0].idle).toBe(0);
  });
});

describe('T8: a peer that refuses connections', () => {
  test.each([
    ['GET', null],
    ['POST', new PieceSource(2, [Buffer.from('{}')])],
  ])('is passed over for %s, since nothing was sent', async (method, body) => {
    const dead = await around.findDeadUrl();
    const peer = await around.startPeer(() => answer('second'));
    const upstream = around.createUpstream({ servers: [dead, peer.url] });
    const { exchange, response } = await call(upstream, method, body);
    expect(response?.status).toBe(200);
    expect(exchange.upstreamAddress).toBe(`${dead.slice(7)}, ${peer.url.slice(7)}`);
    expect(exchange.upstreamStatus).toBe('502, 200');
    expect(exchange.upstreamTime).toMatch(/^\d\.\d{3}, \d\.\d{3}$/);
  });

  test('T11: is out at once, so the next requests do not try it', async () => {
    const dead = await around.findDeadUrl();
    const peer = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [dead, peer.url] });
    for (let i = 0; i < 10; i++) await fetchText(upstream);
    expect(upstream.snapshot().map(({ state, failures }) => [state, failures])).toEqual([
      ['out', 1],
      ['up', 0],
    ]);
    expect(around.lines).toEqual([expect.stringContaining(`warn upstream test: ${dead.slice(7)} is out`)]);
  });

  test('is tried again when its time is over', async () => {
    const dead = await around.findDeadUrl();
    const peer = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [{ url: dead, failTimeout: '50ms' }, peer.url] });
    await fetchText(upstream);
    await pause(60);
    for (let i = 0; i < 4; i++) await fetchText(upstream);
    expect(upstream.snapshot()[0].failures).toBe(2);
  });

  test('fails the request when it is alone, but is never taken out', async () => {
    const dead = await around.findDeadUrl();
    const upstream = around.createUpstream({ servers: [dead] });
    for (let i = 0; i < 3; i++) {
      expect(await fetchError(upstream)).toMatchObject({
        code: 'TSS_UPSTREAM_CONNECT',
        status: 502,
        address: dead.slice(7),
        detail: expect.stringMatching(/^127\.0\.0\.1:\d+: connect: connect ECONNREFUSED/),
      });
    }
  });

  test('leaves no live server when it was the last, if that is to be told at once', async () => {
    const upstream = around.createUpstream({
      servers: [await around.findDeadUrl(), await around.findDeadUrl()],
      panic: 0,
    });
    expect(await fetchError(upstream)).toMatchObject({ code: 'TSS_UPSTREAM_CONNECT', statuses: '502, 502' });
    expect(await fetchError(upstream)).toMatchObject({
      code: 'TSS_UPSTREAM_UNAVAILABLE',
      status: 503,
      statuses: '',
      detail: 'upstream test: no live server',
    });
  });

  test('makes room for a backup', async () => {
    const backup = await around.startPeer(() => answer('backup'));
    const dead = await around.findDeadUrl();
    const upstream = around.createUpstream({ servers: [dead, { url: backup.url, backup: true }] });
    expect(await fetchText(upstream)).toBe('backup');
    expect(await fetchText(upstream)).toBe('backup');
  });
});

describe('a peer that cuts a request before it answers', () => {
  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('has %s tried elsewhere', async (method) => {
    const bad = await around.startPeer(reset);
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [bad.url, good.url] });
    expect((await call(upstream, method)).response?.status).toBe(200);
    expect(upstream.snapshot()[0].failures).toBe(1);
  });

  test.each<[string, PieceSource | null]>([
    ['POST', null],
    ['PATCH', null],
    ['PUT', new PieceSource(2, [Buffer.from('{}')])],
    ['POST', new PieceSource(2, [Buffer.from('{}')])],
  ])('T8: never has %s sent twice', async (method, body) => {
    const bad = await around.startPeer(reset);
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [bad.url, good.url] });
    expect(await fetchError(upstream, method, body)).toMatchObject({
      code: 'TSS_UPSTREAM_CLOSED',
      statuses: '502',
    });
    expect(good.requests).toEqual([]);
  });

  test('has a request tried on no more peers than allowed', async () => {
    const bad = [await around.startPeer(reset), await around.startPeer(reset), await around.startPeer(reset)];
    const upstream = around.createUpstream({ servers: bad.map((peer) => peer.url), retries: { tries: 2 } });
    expect(await fetchError(upstream)).toMatchObject({ statuses: '502, 502' });
  });

  test('has a request tried no longer than allowed', async () => {
    const slow = await around.startPeer(() => '');
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({
      servers: [slow.url, good.url],
      timeouts: { read: '50ms' },
      retries: { timeout: '20ms' },
    });
    expect(await fetchError(upstream)).toMatchObject({
      code: 'TSS_UPSTREAM_TIMEOUT',
      status: 504,
      statuses: '504',
    });
  });

  test('inside the head is not forgiven: nothing is sent again', async () => {
    const bad = await around.startPeer(() => 'HTTP/1.1 nonsense\r\n\r\n');
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [bad.url, good.url] });
    expect(await fetchError(upstream)).toMatchObject({ code: 'TSS_UPSTREAM_RESPONSE', status: 502 });
    expect(good.requests).toEqual([]);
    expect(upstream.snapshot()[0].state).toBe('out');
  });
});

test('a peer that takes too long has a GET tried elsewhere', async () => {
  const slow = await around.startPeer(() => '');
  const good = await around.startPeer(() => answer('x'));
  const upstream = around.createUpstream({ servers: [slow.url, good.url], timeouts: { read: '50ms' } });
  const { exchange } = await call(upstream);
  expect(exchange.upstreamStatus).toBe('504, 200');
});

describe('T9: a connection that is cut when it is used again', () => {
  test('says nothing about its peer: the request goes out on a fresh one, uncounted', async () => {
    const peer = await around.startPeer((turn) => (turn === 0 ? answer('x') : null));
    const upstream = around.createUpstream({ servers: [peer.url, await around.findDeadUrl()] });
    await fetchText(upstream);
    await fetchText(upstream);
    for (let i = 0; i < 20; i++) expect(await fetchText(upstream)).toBe('x');
    expect(upstream.snapshot()[0]).toMatchObject({ failures: 0, state: 'up' });
    expect(peer.sockets.length).toBeGreaterThan(20);
  });

  test('costs a POST that was sent on it, without a second try', async () => {
    const peer = await around.startPeer((turn) => (turn === 0 ? answer('x') : null));
    const upstream = around.createUpstream({ servers: [peer.url] });
    await fetchText(upstream);
    expect(await fetchError(upstream, 'POST')).toMatchObject({ code: 'TSS_UPSTREAM_CLOSED' });
    expect(peer.requests).toHaveLength(2);
    expect(upstream.snapshot()[0].failures).toBe(0);
  });

  test('is not given to a POST when it has been idle for long', async () => {
    const peer = await around.startPeer((turn) => (turn === 0 ? answer('x') : null));
    const upstream = around.createUpstream({ servers: [peer.url] });
    await fetchText(upstream);
    await pause(1050);
    expect(await fetchText(upstream, 'POST')).toBe('x');
    expect(peer.sockets).toHaveLength(2);
  });

  test('by a server whose keep-alive ends at the same moment fails no GET', async () => {
    const server = createServer((_, response) => {
      // Written by hand, so that Node does not announce its time: then nothing would be kept.
      response.setHeader('Connection', 'keep-alive');
      response.end('x');
    });
    server.keepAliveTimeout = 3;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' ? bound?.port : 0;
    const upstream = around.createUpstream({ servers: [`http://127.0.0.1:${port}`] });
    for (let i = 0; i < 600; i++) {
      await Promise.all([fetchText(upstream), fetchText(upstream), fetchText(upstream)]);
      if (i % 3 === 0) await pause(1 + (i % 5));
    }
    expect(upstream.snapshot()[0]).toMatchObject({ requests: 1800, failures: 0 });
    server.close();
    server.closeAllConnections();
  });

  test('by a raw peer right behind its answer fails no GET', async () => {
    const peer = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [peer.url] });
    for (let i = 0; i < 1000; i++) {
      expect(await fetchText(upstream)).toBe('x');
      const socket = peer.sockets.at(-1);
      if (i % 3 === 0) socket?.end();
      else if (i % 3 === 1) setImmediate(() => socket?.resetAndDestroy());
    }
    expect(upstream.snapshot()[0].failures).toBe(0);
  });
});

test('a request that is aborted closes its connection and counts for nobody', async () => {
  const peer = await around.startPeer(() => '');
  const upstream = around.createUpstream({ servers: [peer.url] });
  const exchange = new Exchange(facts, 'GET', '/', '1.1', [], 'test');
  const told: string[] = [];
  const running = upstream.call(exchange, 'GET / HTTP/1.1\r\nHost: a\r\n', null, {
    onResponse: () => told.push('response'),
    onFailure: () => told.push('failure'),
  });
  running.start();
  await waitUntil(() => peer.requests.length === 1);
  let closed = false;
  peer.sockets[0].on('close', () => {
    closed = true;
  });
  expect(upstream.snapshot()[0].inFlight).toBe(1);
  running.abort();
  running.abort();
  await waitUntil(() => closed);
  expect(upstream.snapshot()[0]).toMatchObject({ inFlight: 0, failures: 0, idle: 0 });
  expect(exchange.upstreamStatus).toBe('-');
  expect(told).toEqual([]);
});

test('a request counts as under way until its body has been read', async () => {
  const peer = await around.startPeer(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  const upstream = around.createUpstream({ servers: [peer.url], balance: 'least_conn' });
  const { response } = await call(upstream);
  expect(upstream.snapshot()[0].inFlight).toBe(1);
  if (response?.body?.kind !== 'stream') throw new Error('no stream');
  response.body.source.cancel();
  expect(upstream.snapshot()[0].inFlight).toBe(0);
});

test('T1: whatever a peer does and whenever a client leaves, every call ends once and nothing is left', async () => {
  const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  let seed = 1;
  const draw = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const peers = await Promise.all(
    Array.from({ length: 3 }, () =>
      startPeer((socket) => {
        const kind = draw(8);
        if (kind === 0) socket.resetAndDestroy();
        socket.on('data', () => {
          if (kind === 1) socket.resetAndDestroy();
          else if (kind === 2) socket.end();
          else if (kind === 3) {
            socket.write(text.slice(0, draw(text.length)));
            setImmediate(() => socket.resetAndDestroy());
          } else if (kind === 4) socket.end(text.slice(0, draw(text.length)));
          else if (kind === 5) socket.write(text + text);
          else socket.write(text);
        });
      }),
    ),
  );
  const upstream = around.createUpstream({
    servers: peers.map(({ address }) => ({ url: `http://127.0.0.1:${address.port}`, maxFails: 0 })),
    timeouts: { read: '200ms' },
  });
  const ends = { response: 0, failure: 0, abort: 0 };
  const runOne = (method: string, leaves: boolean) =>
    new Promise<void>((resolve) => {
      const body =
        method === 'POST' ? new PieceSource(null, [Buffer.from('a'), Buffer.from('b')], draw(2)) : null;
      const exchange = new Exchange(facts, method, '/', '1.1', [], 'test');
      let ended = false;
      const end = (how: keyof typeof ends) => {
        if (ended) throw new Error(`${how}: a second end`);
        ended = true;
        ends[how]++;
        resolve();
      };
      const running = upstream.call(exchange, `${method} / HTTP/1.1\r\nHost: test\r\n`, body, {
        onResponse: (response) => {
          end('response');
          if (response.body?.kind === 'stream') readAll(response.body.source).catch(() => {});
        },
        onFailure: () => end('failure'),
      });
      running.start();
      if (!leaves) return;
      setTimeout(() => {
        if (ended) return;
        end('abort');
        running.abort();
      }, draw(3));
    });
  for (let round = 0; round < 60; round++) {
    const methods = ['GET', 'POST', 'GET', 'PUT', 'GET', 'POST'];
    await Promise.all(methods.map((method, i) => runOne(method, i % 3 === 2)));
  }
  expect(ends.response + ends.failure + ends.abort).toBe(360);
  expect(Math.min(ends.response, ends.failure)).toBeGreaterThan(20);
  await waitUntil(() => upstream.snapshot().every(({ inFlight }) => inFlight === 0));
  upstream.close();
  await waitUntil(() => peers.every(({ sockets }) => sockets.every((socket) => socket.destroyed)));
  for (const peer of peers) await peer.close();
});
