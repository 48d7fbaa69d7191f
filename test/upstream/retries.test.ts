import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RetryBudget } from '../../src/upstream/retry-budget.ts';
import { PieceSource, pause } from '../http1/client-peer.ts';
import { answer, call, fetchError, fetchText, Surroundings } from './upstream-fixture.ts';

let around: Surroundings;
beforeEach(() => {
  around = new Surroundings();
});
afterEach(() => around.close());

const status = (code: number) => `HTTP/1.1 ${code} No\r\nContent-Length: 2\r\n\r\nno`;

/** Calls an upstream of one peer that answers like this, and one that is well. */
async function callPair(first: () => string | null, retries: object, method = 'GET', body = false) {
  const bad = await around.startPeer(first);
  const good = await around.startPeer(() => answer('good'));
  const upstream = around.createUpstream({
    servers: [bad.url, good.url],
    timeouts: { read: '60ms' },
    retries,
  });
  const outcome = await call(upstream, method, body ? new PieceSource(2, [Buffer.from('{}')]) : null);
  return { ...outcome, upstream, sentTwice: good.requests.length > 0 };
}

describe('S4: what is tried on another peer', () => {
  test.each<[string, () => string | null, string[] | undefined, string]>([
    ['a cut, by default', () => null, undefined, '502, 200'],
    ['half a head, by default: nobody has seen it', () => 'HTTP/1.1 200 OK\r\nX-Half', undefined, '504, 200'],
    ['a timeout, by default', () => '', undefined, '504, 200'],
    ['no timeout, if only errors are named', () => '', ['error'], '504'],
    ['no cut, if only timeouts are named', () => null, ['timeout'], '502'],
    ['nothing, if nothing is named', () => null, [], '502'],
    ['no nonsense, by default', () => 'nonsense\r\n\r\n', undefined, '502'],
    ['nonsense, if it is named', () => 'nonsense\r\n\r\n', ['invalid_header'], '502, 200'],
    ['no 503, by default', () => status(503), undefined, '503'],
    ['a 503, if it is named', () => status(503), ['http_503'], '503, 200'],
    ['no 502, if only 503 is named', () => status(502), ['http_503'], '502'],
    ['a 429, if it is named', () => status(429), ['http_429'], '429, 200'],
    ['a 404, if it is named', () => status(404), ['http_404'], '404, 200'],
  ])('%s', async (_, first, on, statuses) => {
    const { exchange } = await callPair(first, { on });
    expect(exchange.upstreamStatus).toBe(statuses);
  });

  test('a status counts as a failure of the peer, but 403 and 404 never do', async () => {
    const failed = await callPair(() => status(503), { on: ['http_503'] });
    expect(failed.upstream.snapshot()[0]).toMatchObject({ state: 'out', failures: 1 });
    const missing = await callPair(() => status(404), { on: ['http_404'] });
    expect(missing.upstream.snapshot()[0]).toMatchObject({ state: 'up', failures: 0 });
  });

  test('nonsense and timeouts count as failures of the peer even when they are not named', async () => {
    const nonsense = await callPair(() => 'nonsense\r\n\r\n', { on: [] });
    expect(nonsense.upstream.snapshot()[0]).toMatchObject({ state: 'out', counters: { invalid: 1 } });
    const late = await callPair(() => '', { on: [] });
    expect(late.upstream.snapshot()[0]).toMatchObject({ state: 'out', counters: { timeouts: 1 } });
  });

  test.each([
    ['GET', true],
    ['HEAD', true],
    ['PUT', true],
    ['DELETE', true],
    ['POST', false],
    ['PATCH', false],
    ['LOCK', false],
  ])('%s that a peer may have acted on: %s', async (method, isTriedAgain) => {
    const { sentTwice } = await callPair(() => null, {}, method);
    expect(sentTwice).toBe(isTriedAgain);
    const named = await callPair(() => status(503), { on: ['http_503'] }, method);
    expect(named.sentTwice).toBe(isTriedAgain);
  });

  test('POST is sent again with "non_idempotent", but not with a body that is gone', async () => {
    const on = ['error', 'non_idempotent'];
    expect((await callPair(() => null, { on }, 'POST')).sentTwice).toBe(true);
    expect((await callPair(() => null, { on }, 'POST', true)).sentTwice).toBe(false);
  });

  test('the answer that is left is the client’s: the last one, however bad', async () => {
    const peers = [await around.startPeer(() => status(503)), await around.startPeer(() => status(503))];
    const upstream = around.createUpstream({
      servers: peers.map(({ url }) => url),
      retries: { on: ['http_503'] },
    });
    const { response, exchange } = await call(upstream);
    expect(response?.status).toBe(503);
    expect(exchange.upstreamStatus).toBe('503, 503');
    expect(exchange.upstreamOutcome).toBe('passed_on, answered');
    expect(upstream.snapshot().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });

  test('an answer with a long body is let go before the next peer is asked', async () => {
    const long = 'HTTP/1.1 503 No\r\nContent-Length: 1000000\r\n\r\nbegins';
    const { exchange, upstream } = await callPair(() => long, { on: ['http_503'] });
    expect(exchange.upstreamStatus).toBe('503, 200');
    expect(upstream.snapshot().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });

  test('each decision is counted, and stands in the log', async () => {
    const dead = await around.findDeadUrl();
    const cut = await around.startPeer(() => null);
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [dead, cut.url, good.url] });
    const { exchange } = await call(upstream);
    expect(exchange.upstreamOutcome).toBe('refused, cut, answered');
    expect(exchange.upstreamTime).toMatch(/^\d\.\d{3}, \d\.\d{3}, \d\.\d{3}$/);
    expect(upstream.counters).toMatchObject({ requests: 1, retries: 2, retriesRefused: 0 });
    expect(upstream.snapshot().map(({ counters }) => counters)).toMatchObject([
      { refused: 1, passedOn: 1, outages: 1 },
      { cuts: 1, passedOn: 1, outages: 1 },
      { cuts: 0, refused: 0, passedOn: 0 },
    ]);
  });
});

describe('T11: no GET fails while one peer is well', () => {
  test('though all others die on it', async () => {
    const bad = await Promise.all([1, 2, 3, 4].map(() => around.startPeer(() => null)));
    const good = await around.startPeer(() => answer('good'));
    const upstream = around.createUpstream({ servers: [...bad, good].map(({ url }) => url) });
    expect(await fetchText(upstream)).toBe('good');
  });

  test('though that peer is out itself', async () => {
    let isWell = false;
    const peers = await Promise.all(
      [1, 2].map((id) => around.startPeer(() => (id === 1 && isWell ? answer('good') : null))),
    );
    const upstream = around.createUpstream({ servers: peers.map(({ url }) => url) });
    expect(await fetchError(upstream)).toMatchObject({ statuses: '502, 502' });
    isWell = true;
    expect(await fetchText(upstream)).toBe('good');
    expect(upstream.counters.panics).toBeGreaterThan(0);
    expect(upstream.snapshot()[0].state).toBe('up');
  });
});

describe('T8: a peer that is to be probed', () => {
  test('is not given a request that could not be sent again while another is well', async () => {
    const bad = await around.startPeer(() => null);
    const good = await around.startPeer(() => answer('good'));
    const upstream = around.createUpstream({
      servers: [{ url: bad.url, failTimeout: '20ms' }, good.url],
    });
    expect(await fetchText(upstream)).toBe('good');
    await pause(30);
    expect(upstream.snapshot()[0].circuit).toBe('half-open');
    for (let i = 0; i < 6; i++) expect(await fetchText(upstream, 'POST')).toBe('good');
    expect(bad.requests).toHaveLength(1);
    for (let i = 0; i < 2; i++) expect(await fetchText(upstream)).toBe('good');
    expect(bad.requests).toHaveLength(2);
    expect(upstream.snapshot()[0].counters).toMatchObject({ probes: 1 });
  });

  test('is probed by whatever comes when it is the only one left', async () => {
    let isWell = false;
    const peer = await around.startPeer(() => (isWell ? answer('back') : null));
    const upstream = around.createUpstream({ servers: [peer.url, await around.findDeadUrl()] });
    await fetchError(upstream);
    isWell = true;
    expect(await fetchText(upstream, 'POST')).toBe('back');
  });
});

describe('a retry budget', () => {
  test('lets three be tried again, and a share of many', () => {
    const budget = new RetryBudget(20);
    for (let i = 0; i < 4; i++) budget.begin();
    expect([1, 2, 3, 4].map(() => budget.take())).toEqual([true, true, true, false]);
    for (let i = 0; i < 16; i++) budget.begin();
    expect(budget.take()).toBe(true);
    expect(budget.take()).toBe(false);
    budget.end(true);
    expect(budget.take()).toBe(true);
  });

  test('has requests fail rather than be tried again when it is used up', async () => {
    const bad = await around.startPeer(() => '');
    const good = await around.startPeer(() => '');
    const upstream = around.createUpstream({
      servers: [bad.url, { url: good.url, backup: true }],
      timeouts: { read: '100ms' },
      retries: { budget: 20 },
    });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => call(upstream)));
    const tries = outcomes.map(({ exchange }) => exchange.upstreamStatus.split(',').length);
    expect(tries.filter((count) => count === 2)).toHaveLength(3);
    expect(upstream.counters).toMatchObject({ retries: 3, retriesRefused: 7 });
    // What is over counts no more.
    expect((await call(upstream)).exchange.upstreamStatus).toMatch(/504/);
    expect(upstream.counters.retriesRefused).toBe(7);
  });

  test('says nothing of connections that were refused: no server had those requests', async () => {
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({
      servers: [await around.findDeadUrl(), good.url],
      retries: { budget: 1 },
    });
    const texts = await Promise.all(Array.from({ length: 12 }, () => fetchText(upstream)));
    expect(texts).toEqual(Array.from({ length: 12 }, () => 'x'));
  });
});

describe('times', () => {
  test('the first byte has its own', async () => {
    const peer = await around.startPeer(() => '');
    const upstream = around.createUpstream({
      servers: [peer.url],
      timeouts: { firstByte: '50ms', read: '60s' },
    });
    expect(await fetchError(upstream)).toMatchObject({ code: 'TSS_UPSTREAM_TIMEOUT', status: 504 });
  });

  test('what comes behind the first byte has the one between reads', async () => {
    const peer = await around.startPeer(() => 'HTTP/1.1 200 OK\r\n');
    const upstream = around.createUpstream({
      servers: [peer.url],
      timeouts: { firstByte: '60s', read: '50ms' },
    });
    expect(await fetchError(upstream)).toMatchObject({ code: 'TSS_UPSTREAM_TIMEOUT', status: 504 });
  });

  test('a request as a whole has one for all its tries', async () => {
    const peers = await Promise.all([1, 2, 3].map(() => around.startPeer(() => '')));
    const upstream = around.createUpstream({
      servers: peers.map(({ url }) => url),
      timeouts: { read: '60ms', request: '90ms' },
    });
    expect(await fetchError(upstream)).toMatchObject({
      code: 'TSS_UPSTREAM_TIMEOUT',
      status: 504,
      statuses: '504, 504',
      detail: 'request: it took too long in all',
    });
    expect(upstream.snapshot().map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });

  test('a response that takes too long in all is cut off', async () => {
    const peer = await around.startPeer(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    const upstream = around.createUpstream({ servers: [peer.url], timeouts: { request: '60ms' } });
    const { response, exchange } = await call(upstream);
    if (response?.body?.kind !== 'stream') throw new Error('no stream');
    const { source } = response.body;
    const read = () => new Promise<Error | null>((resolve) => source.read((error) => resolve(error)));
    expect(await read()).toBe(null);
    expect(await read()).toBeInstanceOf(Error);
    expect(exchange).toMatchObject({ upstreamStatus: '200', upstreamOutcome: 'expired' });
    expect(upstream.snapshot()[0].inFlight).toBe(0);
  });
});
