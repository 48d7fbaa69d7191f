// What balancing comes to, in numbers: how even it is, what one slow peer costs, and what moves when a peer leaves.
// Time here is made up, chance is the same in every run.

import { afterAll, describe, expect, test } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { BalanceSettings } from '../../src/upstream/balance-shape.ts';
import { compileBalance } from '../../src/upstream/compile-balance.ts';
import type { PeerSlot } from '../../src/upstream/peer-slot.ts';
import { choose, createChance, createRequestOf, createSlots } from './slot-fixture.ts';

const timers = new TimerWheel();
afterAll(() => timers.close());

const hash = (bound: number): BalanceSettings => ({ hash: '$cookie_user', bound });

interface Run {
  /** Of all requests, by peer. */
  readonly shares: number[];
  readonly meanMs: number;
  readonly p99Ms: number;
}

/** Requests at random moments, `perSecond` of them; each keeps its peer busy for about that peer's time. */
function simulate(
  balance: BalanceSettings,
  slots: PeerSlot[],
  timesMs: number[],
  perSecond: number,
  requests: number,
): Run {
  const chance = createChance(7);
  const chooseSlot = compileBalance(balance, chance);
  const counts = slots.map(() => 0);
  const durations: number[] = [];
  /** A peer works on one request after the other. */
  const freeAtMs = slots.map(() => 0);
  const ends: { at: number; slot: PeerSlot; durationMs: number }[] = [];
  let nowMs = 0;
  for (let i = 0; i < requests; i++) {
    nowMs += (-Math.log(1 - chance()) * 1000) / perSecond;
    ends.sort((a, b) => a.at - b.at);
    while (ends.length > 0 && ends[0].at <= nowMs) {
      const [{ at, slot, durationMs }] = ends.splice(0, 1);
      slot.end();
      slot.peer.responseTime.add(durationMs, at);
    }
    const slot = choose(chooseSlot, slots, null, nowMs, createRequestOf(Math.floor(chance() * 50_000)));
    if (slot === null) throw new Error('nobody was chosen');
    slot.begin();
    const index = slots.indexOf(slot);
    counts[index]++;
    const workMs = timesMs[index] * (0.5 + chance());
    freeAtMs[index] = Math.max(nowMs, freeAtMs[index]) + workMs;
    const durationMs = freeAtMs[index] - nowMs;
    durations.push(durationMs);
    ends.push({ at: freeAtMs[index], slot, durationMs });
  }
  durations.sort((a, b) => a - b);
  return {
    shares: counts.map((count) => count / requests),
    meanMs: durations.reduce((sum, each) => sum + each, 0) / requests,
    p99Ms: durations[Math.floor(requests * 0.99)],
  };
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

test.each<[string, BalanceSettings, number]>([
  ['round_robin', 'round_robin', 0.0001],
  ['least_conn', 'least_conn', 0.001],
  ['random', 'random', 0.02],
  ['least_time', 'least_time', 0.02],
  ['ip_hash', 'ip_hash', 0.2],
  ['hash', hash(0), 0.2],
])('100,000 picks by %s are even', (name, balance, most) => {
  const chooseSlot = compileBalance(balance, createChance(3));
  const slots = createSlots(timers, {}, {}, {}, {}, {});
  const counts = slots.map(() => 0);
  for (let i = 0; i < 100_000; i++) {
    const slot = choose(chooseSlot, slots, null, i, createRequestOf(i * 257));
    counts[slots.indexOf(slot as PeerSlot)]++;
  }
  const worst = Math.max(...counts.map((count) => Math.abs(count / 20_000 - 1)));
  console.log(`fairness: ${name}: ${counts.join(' ')}; furthest from even: ${percent(worst)}`);
  expect(worst).toBeLessThan(most);
});

describe('one of four peers that is ten times slower', () => {
  const timesMs = [2, 2, 2, 20];
  const run = (balance: BalanceSettings) => {
    const result = simulate(balance, createSlots(timers, {}, {}, {}, {}), timesMs, 800, 12_000);
    console.log(
      `slow peer: ${JSON.stringify(balance)}: it gets ${percent(result.shares[3])}; ` +
        `mean ${result.meanMs.toFixed(1)} ms, 99th percentile ${result.p99Ms.toFixed(0)} ms`,
    );
    return result;
  };
  const even = run('round_robin');

  test('has a quarter of the requests in turn, and ever more of them wait', () => {
    expect(even.shares[3]).toBeCloseTo(0.25, 2);
    expect(even.p99Ms).toBeGreaterThan(1000);
  });

  test.each<BalanceSettings>(['least_conn', 'random', 'least_time'])(
    'has little to do under %s',
    (balance) => {
      const { shares, meanMs, p99Ms } = run(balance);
      expect(shares[3]).toBeLessThan(0.1);
      expect(meanMs).toBeLessThan(even.meanMs / 20);
      expect(p99Ms).toBeLessThan(even.p99Ms / 10);
      // S11: nobody is forgotten.
      expect(shares[3]).toBeGreaterThan(0);
    },
  );

  test('S10: takes no more than its share of keys when loads are bounded, and so makes nobody wait for ever', () => {
    const bounded = run(hash(1.25));
    const unbounded = run(hash(0));
    expect(bounded.shares[3]).toBeLessThan(unbounded.shares[3] * 0.75);
    expect(bounded.p99Ms).toBeLessThan(unbounded.p99Ms / 4);
  });

  test('S10: never has all requests, be it as fast as it may', () => {
    const fast = simulate('least_time', createSlots(timers, {}, {}, {}, {}), [1, 4, 4, 4], 1200, 12_000);
    expect(Math.max(...fast.shares)).toBeLessThan(0.9);
  });
});

describe('when a peer leaves', () => {
  test.each([3, 5, 10])('of %i, only its own keys move', (n) => {
    const chooseSlot = compileBalance(hash(0));
    const slots = createSlots(timers, ...Array.from({ length: n }, () => ({})));
    const keys = 20_000;
    const place = (among: PeerSlot[]) =>
      Array.from({ length: keys }, (_, i) => choose(chooseSlot, among, null, 0, createRequestOf(i)));
    const before = place(slots);
    const [left, ...rest] = slots;
    const after = place(rest);
    const moved = before.filter((slot, i) => slot !== after[i]);
    console.log(`keys: one of ${n} leaves: ${percent(moved.length / keys)} move, 1/n is ${percent(1 / n)}`);
    expect(moved.every((slot) => slot === left)).toBe(true);
    expect(moved.length / keys).toBeLessThan(1 / n + 0.05);
    // One that is out for a while leaves its keys to the same peers.
    left.fail();
    expect(place(slots)).toEqual(after);
  });
});
