import { afterEach, describe, expect, test } from 'vitest';
import { SharedPool } from '../../src/base/shared-pool.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { Peer } from '../../src/upstream/peer.ts';
import { PeerSlot } from '../../src/upstream/peer-slot.ts';
import { pickLeastConn, pickRoundRobin } from '../../src/upstream/pick-in-turn.ts';

const timers = new TimerWheel();
afterEach(() => timers.close());

function createSlots(...kinds: { weight?: number; backup?: boolean; down?: boolean }[]): PeerSlot[] {
  const shared = new SharedPool();
  return kinds.map((kind, i) => {
    const settings = {
      address: { host: 'h', port: i + 1 },
      keepalive: 1,
      idleTimeoutMs: 1,
      connectTimeoutMs: 1,
      maxFails: 1,
      failTimeoutMs: 1000,
      tls: null,
      proxyProtocol: null,
    };
    const lease = shared.take(String(i), () => new Peer(settings, null, timers, () => {}));
    return new PeerSlot(lease, settingsOf(kind), 1);
  });
}

const settingsOf = (kind: object) => ({
  weight: 1,
  backup: false,
  down: false,
  capacity: 0,
  onRoom: () => {},
  drain: false,
  slowStartMs: 0,
  check: null,
  outlier: null,
  ...kind,
});

const choices = { round_robin: pickRoundRobin, least_conn: pickLeastConn };
type Balance = keyof typeof choices;

/** The one whose turn it is: backups after all others. */
function pickSlot(
  slots: readonly PeerSlot[],
  balance: Balance,
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
): PeerSlot | null {
  const choose = choices[balance];
  return choose(slots, false, tried, nowMs) ?? choose(slots, true, tried, nowMs);
}

/** The numbers (from 1) of the slots picked, each request ending at once unless it is held. */
function pickMany(slots: PeerSlot[], count: number, balance: Balance = 'round_robin', hold = false): string {
  let picked = '';
  for (let i = 0; i < count; i++) {
    const slot = pickSlot(slots, balance, null, 0);
    slot?.begin();
    if (!hold) slot?.end();
    picked += slot === null ? '-' : String(slots.indexOf(slot) + 1);
  }
  return picked;
}

describe('round robin', () => {
  test('takes turns', () => {
    expect(pickMany(createSlots({}, {}, {}), 7)).toBe('1231231');
  });

  test('spreads by weight, smoothly as nginx does', () => {
    expect(pickMany(createSlots({ weight: 5 }, {}, {}), 14)).toBe('11213111121311');
  });

  test('leaves out what is down, and backups while anyone else is there', () => {
    expect(pickMany(createSlots({ down: true }, {}, { backup: true }, {}), 4)).toBe('2424');
    expect(pickMany(createSlots({ down: true }, { backup: true }, { backup: true }), 4)).toBe('2323');
    expect(pickMany(createSlots({ down: true }), 1)).toBe('-');
  });

  test('gives a request no peer twice', () => {
    const slots = createSlots({}, {}, { backup: true });
    expect(pickSlot(slots, 'round_robin', [slots[0]], 0)).toBe(slots[1]);
    expect(pickSlot(slots, 'round_robin', slots.slice(0, 2), 0)).toBe(slots[2]);
    expect(pickSlot(slots, 'round_robin', slots, 0)).toBe(null);
  });

  test('gives a failed peer its share back little by little', () => {
    const slots = createSlots({ weight: 4 }, { weight: 4 });
    slots[0].fail();
    expect(slots[0].effectiveWeight).toBe(0);
    const later = performance.now() + 2000;
    const picked = Array.from({ length: 8 }, () => pickSlot(slots, 'round_robin', null, later));
    expect(picked.map((slot) => (slot === slots[0] ? 1 : 2)).join('')).toBe('22121212'.slice(0, 8));
    expect(slots[0].effectiveWeight).toBe(4);
  });
});

describe('least_conn', () => {
  test('takes the one with the fewest requests under way', () => {
    const slots = createSlots({}, {}, {});
    slots[0].begin();
    slots[2].begin();
    expect(pickMany(slots, 3, 'least_conn')).toBe('222');
  });

  test('spreads requests that stay over all', () => {
    const picked = pickMany(createSlots({}, {}, {}), 9, 'least_conn', true);
    expect([...picked].sort().join('')).toBe('111222333');
  });

  test('takes turns between those with the same load', () => {
    expect(pickMany(createSlots({}, {}, {}), 6, 'least_conn')).toBe('123123');
  });

  test('takes one request more for chance beside four, not beside fewer', () => {
    const slots = createSlots({}, {});
    for (let i = 0; i < 4; i++) slots[0].begin();
    for (let i = 0; i < 5; i++) slots[1].begin();
    expect(pickMany(slots, 4, 'least_conn')).toBe('1212');
    slots[0].end();
    expect(pickMany(slots, 4, 'least_conn')).toBe('1111');
  });

  test('gives one that stalled its turns back', () => {
    const slots = createSlots({}, {});
    for (let i = 0; i < 9; i++) slots[1].begin();
    expect(pickMany(slots, 20, 'least_conn')).toBe('1'.repeat(20));
    for (let i = 0; i < 9; i++) slots[1].end();
    expect(pickMany(slots, 30, 'least_conn')).toMatch(/^2{19,21}(12|21){4,5}[12]?$/);
  });

  test('counts by weight', () => {
    const picked = pickMany(createSlots({ weight: 3 }, {}), 8, 'least_conn', true);
    expect([...picked].sort().join('')).toBe('11111122');
  });
});
