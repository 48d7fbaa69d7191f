// Chooses the peer for a request: the one that its client is bound to, else by the balance among those that are
// available, else, rather than to fail the request, among those that are not.

import { monotonicMs } from '../base/clock.ts';
import type { Exchange } from '../message/exchange.ts';
import { compileBalance } from './compile-balance.ts';
import type { PeerSlot } from './peer-slot.ts';
import { type ChooseSlot, isCandidate } from './slot-candidate.ts';
import { StickyCookie } from './sticky-cookie.ts';
import type { UpstreamCounters } from './upstream-counters.ts';
import type { UpstreamSettings } from './upstream-shape.ts';

/** Chooses for one upstream. */
export class SlotChooser {
  readonly #choose: ChooseSlot;
  readonly #sticky: StickyCookie | null;
  /** Percent of peers that must be available for health to count. */
  readonly #panic: number;
  /** Whether a request for which no available peer is left goes to one that is out. */
  readonly #lastResort: boolean;
  readonly #counters: UpstreamCounters;

  constructor(settings: UpstreamSettings, upstream: string, counters: UpstreamCounters) {
    const { balance, sticky } = settings;
    this.#choose = compileBalance(balance);
    this.#sticky = sticky === undefined ? null : new StickyCookie(sticky, upstream);
    this.#panic = 'servers' in settings ? settings.panic : 0;
    // All instances of an application are never out at once, nor are all addresses of a server that is alone.
    this.#lastResort = !('servers' in settings) || settings.panic > 0 || settings.servers.length === 1;
    this.#counters = counters;
  }

  /** The slot for a request that was tried on these, or null when none is left. */
  pick(
    slots: readonly PeerSlot[],
    tried: readonly PeerSlot[] | null,
    exchange: Exchange | null,
    mayProbe: boolean,
  ): PeerSlot | null {
    // As nginx: failures never take out a peer that is alone.
    const isAlone = slots.length === 1 && slots[0].check === null;
    const nowMs = isAlone ? null : monotonicMs();
    if (this.#sticky !== null && exchange !== null) {
      const bound = this.#findBound(this.#sticky, slots, tried, nowMs, exchange);
      if (bound !== null) return bound;
    }
    const isPanic = nowMs !== null && this.#panic > 1 && this.#isPanic(slots, nowMs);
    const slot = this.#pickAny(slots, tried, isPanic ? null : nowMs, exchange);
    if (isPanic) this.#counters.panics++;
    if (slot !== null) {
      const isProbe = nowMs !== null && !isPanic && slot.peer.health.failed;
      return isProbe && !mayProbe ? this.#spareProbe(slot, slots, tried, nowMs, exchange) : slot;
    }
    if (nowMs === null || isPanic || !this.#lastResort) return null;
    const last = this.#pickAny(slots, tried, null, exchange);
    if (last !== null) this.#counters.panics++;
    return last;
  }

  /** The field that binds the client to the peer that has answered; null if it is bound, or is not to be. */
  renderBinding(exchange: Exchange, slot: PeerSlot): string | null {
    const sticky = this.#sticky;
    if (sticky === null || sticky.find(exchange, [slot]) !== null) return null;
    return sticky.render(exchange, slot);
  }

  /** A peer that is well in place of one that a request would probe; the latter when there is none. */
  #spareProbe(
    probe: PeerSlot,
    slots: readonly PeerSlot[],
    tried: readonly PeerSlot[] | null,
    nowMs: number,
    exchange: Exchange | null,
  ): PeerSlot {
    const passed = [...(tried ?? []), probe];
    for (;;) {
      const slot = this.#pickAny(slots, passed, nowMs, exchange);
      if (slot === null) return probe;
      if (!slot.peer.health.failed) return slot;
      passed.push(slot);
    }
  }

  /** Backups have their turn only when nobody else is left. */
  #pickAny(
    slots: readonly PeerSlot[],
    tried: readonly PeerSlot[] | null,
    nowMs: number | null,
    exchange: Exchange | null,
  ): PeerSlot | null {
    return (
      this.#choose(slots, false, tried, nowMs, exchange) ?? this.#choose(slots, true, tried, nowMs, exchange)
    );
  }

  /** A peer that is being drained keeps the clients that it has. */
  #findBound(
    sticky: StickyCookie,
    slots: readonly PeerSlot[],
    tried: readonly PeerSlot[] | null,
    nowMs: number | null,
    exchange: Exchange,
  ): PeerSlot | null {
    const bound = sticky.find(exchange, slots);
    if (bound === null) return null;
    const isDrained = bound.drain && !bound.down && !bound.isFull && !tried?.includes(bound);
    if (isDrained && (nowMs === null || bound.isAvailable(nowMs))) return bound;
    if (isCandidate(bound, bound.backup, tried, nowMs)) return bound;
    if (tried === null) this.#counters.rebound++;
    return null;
  }

  #isPanic(slots: readonly PeerSlot[], nowMs: number): boolean {
    let open = 0;
    let available = 0;
    for (const slot of slots) {
      if (slot.isClosed || slot.backup) continue;
      open++;
      if (slot.isAvailable(nowMs)) available++;
    }
    return available * 100 < open * this.#panic;
  }
}
