import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpError } from '../../src/message/http-error.ts';
import { startPeer, waitUntil } from '../http1/client-peer.ts';
import { type CallOutcome, call, fetchError, fetchText, Surroundings } from './upstream-fixture.ts';

let around: Surroundings;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  around = new Surroundings();
});
afterEach(async () => {
  await around.close();
  for (const close of closers.splice(0)) await close();
});

/** A peer that answers one of the requests that it has each time it is told to. */
async function startPatientPeer() {
  const waiting: (() => void)[] = [];
  let most = 0;
  const peer = await startPeer((socket) => {
    socket.on('data', () => {
      waiting.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      most = Math.max(most, waiting.length);
    });
  });
  closers.push(() => peer.close());
  return {
    url: `http://127.0.0.1:${peer.address.port}`,
    waiting,
    get most() {
      return most;
    },
  };
}

describe('maxConns', () => {
  test('has further requests wait for room, in turn', async () => {
    const peer = await startPatientPeer();
    const upstream = around.createUpstream({ servers: [{ url: peer.url, maxConns: 2 }] });
    const done: number[] = [];
    const calls = [0, 1, 2, 3, 4].map((i) => fetchText(upstream).then(() => done.push(i)));
    await waitUntil(() => peer.waiting.length === 2);
    expect(upstream.waiting).toBe(3);
    while (done.length < 5) {
      peer.waiting.shift()?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(calls);
    expect(peer.most).toBe(2);
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(upstream.counters).toMatchObject({ waits: 3, turnedAway: 0 });
  });

  test('sends requests to others while there are any with room', async () => {
    const peers = [await startPatientPeer(), await startPatientPeer()];
    const upstream = around.createUpstream({
      servers: [
        { url: peers[0].url, maxConns: 1 },
        { url: peers[1].url, backup: true },
      ],
    });
    const calls = [1, 2, 3].map(() => call(upstream));
    await waitUntil(() => peers[0].waiting.length === 1 && peers[1].waiting.length === 2);
    for (const { waiting } of peers) for (const reply of waiting) reply();
    await Promise.all(calls);
  });

  test('refuses what is too much for the queue, with 503 and a time to come back', async () => {
    const peer = await startPatientPeer();
    const upstream = around.createUpstream({ servers: [{ url: peer.url, maxConns: 1 }], queue: 1 });
    const calls: Promise<CallOutcome>[] = [call(upstream), call(upstream)];
    await waitUntil(() => peer.waiting.length === 1 && upstream.waiting === 1);
    const { error } = await call(upstream);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ code: 'TSS_UPSTREAM_BUSY', status: 503, fields: ['Retry-After', '1'] });
    expect(upstream.counters.turnedAway).toBe(1);
    peer.waiting.shift()?.();
    await waitUntil(() => peer.waiting.length === 1);
    peer.waiting.shift()?.();
    await Promise.all(calls);
  });

  test('has nobody wait longer than for a connection', async () => {
    const peer = await startPatientPeer();
    const upstream = around.createUpstream({
      servers: [{ url: peer.url, maxConns: 1 }],
      timeouts: { connect: '60ms' },
    });
    const first = call(upstream);
    await waitUntil(() => peer.waiting.length === 1);
    expect(await fetchError(upstream)).toMatchObject({ code: 'TSS_UPSTREAM_BUSY', status: 503 });
    peer.waiting.shift()?.();
    await first;
  });

  test('has nobody wait for peers that are down', async () => {
    const upstream = around.createUpstream({ servers: [{ url: 'http://127.0.0.1:1', down: true }] });
    expect(await fetchError(upstream)).toMatchObject({ code: 'TSS_UPSTREAM_UNAVAILABLE', status: 503 });
    expect(upstream.counters.waits).toBe(0);
  });
});
