import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Outlier } from '../../src/upstream/outlier.ts';
import { answer, call, Surroundings } from './upstream-fixture.ts';

const settings = { errors: 3, ejection: 1000, maxEjection: 2500, interval: 500, maxEjected: 10 };

describe('S9: an outlier', () => {
  test('is one after so many errors in a row', () => {
    const outlier = new Outlier(settings);
    expect([true, true, false, true, true].map((isError) => outlier.note(isError))).toEqual(
      Array.from({ length: 5 }, () => false),
    );
    expect(outlier.note(true)).toBe(true);
  });

  test('is out for longer each time, up to a limit', () => {
    const outlier = new Outlier(settings);
    expect(outlier.eject(0)).toBe(1000);
    expect([outlier.isEjected(999), outlier.isEjected(1000)]).toEqual([true, false]);
    expect(outlier.eject(1001)).toBe(2000);
    expect(outlier.eject(3002)).toBe(2500);
  });

  test('has an ejection forgotten for each interval that it stays in', () => {
    const outlier = new Outlier(settings);
    outlier.eject(0);
    outlier.eject(1001);
    expect(outlier.eject(3001 + 1000)).toBe(1000);
  });
});

describe('an upstream that looks for outliers', () => {
  let around: Surroundings;
  beforeEach(() => {
    around = new Surroundings();
  });
  afterEach(() => around.close());
  const error = 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n';

  test('sends nothing more to a peer that answers with errors, and says so', async () => {
    const bad = await around.startPeer(() => error);
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({ servers: [bad.url, good.url], outliers: { errors: 2 } });
    for (let i = 0; i < 10; i++) await call(upstream);
    expect(bad.requests).toHaveLength(2);
    expect(upstream.snapshot()[0]).toMatchObject({
      state: 'out',
      circuit: 'closed',
      ejected: true,
      counters: { ejections: 1, serverErrors: 2 },
    });
    expect(around.lines).toEqual([
      expect.stringContaining('is out for 30 s: it answered 500 again and again'),
    ]);
  });

  test('takes no more of them out than it may', async () => {
    const bad = await Promise.all([1, 2, 3, 4].map(() => around.startPeer(() => error)));
    const servers = bad.map(({ url }) => url);
    const one = around.createUpstream({ servers, outliers: { errors: 1 } });
    for (let i = 0; i < 20; i++) await call(one);
    expect(one.snapshot().filter(({ ejected }) => ejected)).toHaveLength(1);
    const half = around.createUpstream({ servers, outliers: { errors: 1, maxEjected: 50 } });
    for (let i = 0; i < 20; i++) await call(half);
    expect(half.snapshot().filter(({ ejected }) => ejected)).toHaveLength(2);
  });

  test('remembers them through a reload', async () => {
    const bad = await around.startPeer(() => error);
    const good = await around.startPeer(() => answer('x'));
    const config = { servers: [bad.url, good.url], outliers: { errors: 1 } };
    const before = around.createUpstream(config);
    for (let i = 0; i < 2; i++) await call(before);
    const after = around.createUpstream(config);
    before.close();
    expect(after.snapshot()[0]).toMatchObject({ state: 'out', ejected: true });
  });

  test('sends requests to all again when too few are left', async () => {
    const bad = await Promise.all([1, 2].map(() => around.startPeer(() => error)));
    const good = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({
      servers: [...bad, good].map(({ url }) => url),
      outliers: { errors: 1, maxEjected: 100 },
      panic: 50,
    });
    for (let i = 0; i < 3; i++) await call(upstream);
    const before = bad.map(({ requests }) => requests.length);
    const { panics } = upstream.counters;
    for (let i = 0; i < 6; i++) await call(upstream);
    expect(bad.map(({ requests }, i) => requests.length - before[i])).toEqual([2, 2]);
    expect(upstream.counters.panics - panics).toBe(6);
  });
});
