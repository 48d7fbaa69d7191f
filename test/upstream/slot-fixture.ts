// What the tests of balancing share: peers of one upstream that nobody connects to, and requests of many clients.

import { SharedPool } from '../../src/base/shared-pool.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import { Exchange } from '../../src/message/exchange.ts';
import { Peer } from '../../src/upstream/peer.ts';
import { PeerSlot, type SlotSettings } from '../../src/upstream/peer-slot.ts';
import type { ChooseSlot } from '../../src/upstream/slot-candidate.ts';
import { facts } from './upstream-fixture.ts';

/** Slots with these settings, each a peer of its own at "h:1", "h:2" and so on. */
export function createSlots(timers: TimerWheel, ...kinds: Partial<SlotSettings>[]): PeerSlot[] {
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
    return new PeerSlot(lease, { ...standard, ...kind }, 1);
  });
}

const standard: SlotSettings = {
  weight: 1,
  backup: false,
  down: false,
  drain: false,
  capacity: 0,
  slowStartMs: 0,
  onRoom: () => {},
  check: null,
  outlier: null,
};

/** A request of the client with that number. */
export function createRequestOf(client: number): Exchange {
  const address = `10.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}`;
  return new Exchange(
    { ...facts, peerAddress: address },
    'GET',
    `/?user=${client}`,
    '1.1',
    ['Cookie', `user=${client}`],
    'test',
  );
}

/** Chooses as an upstream does: backups after all others. */
export function choose(
  chooseSlot: ChooseSlot,
  slots: readonly PeerSlot[],
  tried: readonly PeerSlot[] | null,
  nowMs: number | null,
  exchange: Exchange | null = null,
): PeerSlot | null {
  return chooseSlot(slots, false, tried, nowMs, exchange) ?? chooseSlot(slots, true, tried, nowMs, exchange);
}

/** Chance that is the same in every run. */
export function createChance(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
