// A peer's place in one upstream: its weight there, its turn, and the account of each use.

import { monotonicMs } from '../base/clock.ts';
import type { Lease } from '../base/shared-pool.ts';
import type { ActiveCheck } from './active-check.ts';
import type { Outlier } from './outlier.ts';
import type { Peer } from './peer.ts';

/** What an upstream says of one of its peers. */
export interface SlotSettings {
  readonly weight: number;
  readonly backup: boolean;
  readonly down: boolean;
  /** Takes only requests of clients that are bound to it. */
  readonly drain: boolean;
  /** Most requests under way at a time; 0 for any number. */
  readonly capacity: number;
  /** Milliseconds in which its weight grows back after it was out; 0 for at once. */
  readonly slowStartMs: number;
  /** What takes it out besides failures, or null. */
  readonly check: Lease<ActiveCheck> | null;
  readonly outlier: Lease<Outlier> | null;
  /** Called when a slot that was full has room again. */
  readonly onRoom: () => void;
}

/** In place of "any number": small integers compare fastest. */
const unlimited = 2 ** 30;

/** The share of its weight that a peer begins with when its weight grows. */
const leastShare = 0.01;

/** One peer of one upstream. */
export class PeerSlot {
  readonly peer: Peer;
  readonly weight: number;
  readonly backup: boolean;
  readonly down: boolean;
  readonly drain: boolean;
  /** Whether it takes no requests but those that are bound to it. */
  readonly isClosed: boolean;
  /** What its health checks say, if there are any. */
  readonly check: ActiveCheck | null;
  /** What its answers say, if anybody looks at them. */
  readonly outlier: Outlier | null;
  readonly #capacity: number;
  readonly #slowStartMs: number;
  readonly #onRoom: () => void;
  readonly #leases: readonly (Lease<unknown> | null)[];
  readonly #maxFails: number;
  /** Smooth weighted round robin: grows by the effective weight, the highest has its turn. */
  currentWeight = 0;
  /** The weight, less after failures; comes back with time. */
  effectiveWeight: number;

  constructor(lease: Lease<Peer>, settings: SlotSettings, maxFails: number) {
    this.peer = lease.value;
    this.weight = settings.weight;
    this.backup = settings.backup;
    this.down = settings.down;
    this.drain = settings.drain;
    this.isClosed = settings.down || settings.drain;
    this.check = settings.check?.value ?? null;
    this.outlier = settings.outlier?.value ?? null;
    this.#slowStartMs = settings.slowStartMs;
    this.#capacity = settings.capacity === 0 ? unlimited : settings.capacity;
    this.#onRoom = settings.onRoom;
    this.#leases = [lease, settings.check, settings.outlier];
    this.#maxFails = maxFails;
    this.effectiveWeight = settings.weight;
  }

  /** Whether it has as many requests as it may. */
  get isFull(): boolean {
    return this.peer.inFlight >= this.#capacity;
  }

  /** Whether nothing speaks against a request: no failures, no health check, no bad answers. */
  isAvailable(nowMs: number): boolean {
    return (
      this.peer.health.isAvailable(nowMs) &&
      (this.check === null || this.check.isUp) &&
      (this.outlier === null || !this.outlier.isEjected(nowMs))
    );
  }

  /** Whether it takes no request before its health is known. */
  get isChecking(): boolean {
    return this.check !== null && this.check.state === 'checking';
  }

  /** How much of its weight counts, from just above 0 to 1: it grows in a straight line after the peer was out. */
  getShare(nowMs: number | null): number {
    if (this.#slowStartMs === 0 || nowMs === null) return 1;
    const backMs = Math.max(
      this.peer.health.backSinceMs,
      this.check === null ? Number.NEGATIVE_INFINITY : this.check.upSinceMs,
      this.outlier === null ? Number.NEGATIVE_INFINITY : this.outlier.backSinceMs,
    );
    return Math.min(1, Math.max(leastShare, (nowMs - backMs) / this.#slowStartMs));
  }

  /** A request goes here. Ends with exactly one `end`. */
  begin(): void {
    const { peer } = this;
    peer.inFlight++;
    peer.requests++;
    if (peer.health.failed && peer.health.onPick(monotonicMs())) peer.counters.probes++;
  }

  /** The peer has answered. */
  succeed(): void {
    const { health } = this.peer;
    if (health.failed) health.onSuccess(monotonicMs());
  }

  /** The peer has failed. Returns whether it is out for a while now. */
  fail(): boolean {
    const { peer } = this;
    peer.failures++;
    if (this.#maxFails > 0) {
      this.effectiveWeight = Math.max(0, this.effectiveWeight - this.weight / this.#maxFails);
    }
    const isOut = peer.health.onFailure(monotonicMs());
    if (isOut) peer.counters.outages++;
    return isOut;
  }

  /** The request is over. */
  end(): void {
    const wasFull = this.isFull;
    this.peer.inFlight--;
    if (wasFull) this.#onRoom();
  }

  /** The upstream has no more use for the peer. */
  release(): void {
    for (const lease of this.#leases) lease?.release();
  }
}
