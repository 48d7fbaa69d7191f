// What holds for every way of balancing.

import { afterAll, describe, expect, test } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { BalanceSettings } from '../../src/upstream/balance-shape.ts';
import { compileBalance } from '../../src/upstream/compile-balance.ts';
import type { PeerSlot } from '../../src/upstream/peer-slot.ts';
import { choose, createChance, createRequestOf, createSlots } from './slot-fixture.ts';

const timers = new TimerWheel();
afterAll(() => timers.close());

/** Each with how far from its share a peer may be: points on a ring lie where chance has put them. */
const balances: [string, BalanceSettings, number][] = [
  ['round_robin', 'round_robin', 0.001],
  ['least_conn', 'least_conn', 0.001],
  ['random', 'random', 0.05],
  ['least_time', 'least_time', 0.02],
  ['ip_hash', 'ip_hash', 0.25],
  ['hash', { hash: '$cookie_user', bound: 0 }, 0.25],
  ['hash with a bound', { hash: '$cookie_user', bound: 1.25 }, 0.25],
];

describe.each(balances)('%s', (_, balance, tolerance) => {
  const chooseSlot = compileBalance(balance, createChance());

  /** How often each slot was chosen, each request ending before the next. */
  function count(slots: PeerSlot[], requests: number, tried: PeerSlot[] | null = null): number[] {
    const counts = slots.map(() => 0);
    for (let i = 0; i < requests; i++) {
      const slot = choose(chooseSlot, slots, tried, 0, createRequestOf(i * 977));
      if (slot === null) continue;
      slot.begin();
      slot.end();
      counts[slots.indexOf(slot)]++;
    }
    return counts;
  }

  test('gives equal peers equal shares', () => {
    const counts = count(createSlots(timers, {}, {}, {}, {}), 20_000);
    for (const each of counts) expect(Math.abs(each / 5000 - 1)).toBeLessThan(tolerance);
  });

  test('gives each its share by weight', () => {
    const counts = count(createSlots(timers, { weight: 3 }, {}), 20_000);
    expect(Math.abs(counts[0] / 15_000 - 1)).toBeLessThan(tolerance);
  });

  test('leaves out who is down, drained, full, or failed', () => {
    const slots = createSlots(timers, { down: true }, { drain: true }, { capacity: 1 }, {}, {});
    slots[2].begin();
    slots[3].fail();
    expect(count(slots, 100)).toEqual([0, 0, 0, 0, 100]);
  });

  test('asks a backup only when nobody else is left', () => {
    const slots = createSlots(timers, {}, { backup: true });
    expect(count(slots, 50)).toEqual([50, 0]);
    slots[0].fail();
    expect(count(slots, 50)).toEqual([0, 50]);
  });

  test('gives no request to a peer twice, and then to nobody', () => {
    const slots = createSlots(timers, {}, {}, {}, { backup: true });
    for (let client = 0; client < 50; client++) {
      const tried: PeerSlot[] = [];
      const exchange = createRequestOf(client);
      for (let slot = choose(chooseSlot, slots, tried, 0, exchange); slot !== null; ) {
        expect(tried).not.toContain(slot);
        tried.push(slot);
        slot = choose(chooseSlot, slots, tried, 0, exchange);
      }
      expect(tried).toHaveLength(4);
      expect(tried[3]).toBe(slots[3]);
    }
  });

  test('asks those that have failed when it is told that health does not count', () => {
    const slots = createSlots(timers, {}, { down: true });
    slots[0].fail();
    const exchange = createRequestOf(1);
    expect(choose(chooseSlot, slots, null, 0, exchange)).toBe(null);
    expect(choose(chooseSlot, slots, null, null, exchange)).toBe(slots[0]);
  });

  test('chooses for a request that nothing is known of', () => {
    const slots = createSlots(timers, {}, {});
    expect(slots).toContain(choose(chooseSlot, slots, null, 0));
  });

  test('chooses nobody among none', () => {
    expect(choose(chooseSlot, [], null, 0, createRequestOf(1))).toBe(null);
  });

  test('follows peers that come and go', () => {
    const slots = createSlots(timers, {}, {}, {});
    count(slots, 10);
    const [first, second] = slots;
    const left = [first, second];
    for (let i = 0; i < 100; i++) {
      expect(left).toContain(choose(chooseSlot, left, null, 0, createRequestOf(i * 977)));
    }
  });
});

describe('S8: slow start', () => {
  test.each<BalanceSettings>(['round_robin', 'least_conn', 'random', 'least_time'])(
    'has the share of a peer that is back grow in a straight line under %s',
    (balance) => {
      const chooseSlot = compileBalance(balance, createChance());
      const shareAt = (elapsedMs: number) => {
        const slots = createSlots(timers, { slowStartMs: 10_000 }, { slowStartMs: 10_000 });
        slots[0].peer.health.restore(0);
        let count = 0;
        for (let i = 0; i < 4000; i++) {
          if (choose(chooseSlot, slots, null, elapsedMs) === slots[0]) count++;
        }
        return count / 4000;
      };
      // With so much of its weight w beside a whole one, its share is w / (1 + w).
      expect(shareAt(0)).toBeLessThan(0.02);
      expect(Math.abs(shareAt(2500) - 0.2)).toBeLessThan(0.03);
      expect(Math.abs(shareAt(5000) - 1 / 3)).toBeLessThan(0.03);
      expect(Math.abs(shareAt(10_000) - 0.5)).toBeLessThan(0.03);
    },
  );

  test('keeps nothing from a peer that is the only one up', () => {
    const chooseSlot = compileBalance('round_robin');
    const slots = createSlots(timers, { slowStartMs: 10_000 }, { down: true });
    slots[0].peer.health.restore(0);
    expect(choose(chooseSlot, slots, null, 1)).toBe(slots[0]);
  });
});
