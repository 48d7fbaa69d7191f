// A peer's place in one upstream: its weight there, its turn, and the account of each use.

import { monotonicMs } from '../base/clock.ts';
import type { Lease } from '../base/shared-pool.ts';
import type { Peer } from './peer.ts';

/** What an upstream says of one of its peers. */
export interface SlotSettings {
  readonly weight: number;
  readonly backup: boolean;
  readonly down: boolean;
  /** Most requests under way at a time; 0 for any number. */
  readonly capacity: number;
  /** Called when a slot that was full has room again. */
  readonly onRoom: () => void;
}

/** In place of "any number": small integers compare fastest. */
const unlimited = 2 ** 30;

/** One peer of one upstream. */
export class PeerSlot {
  readonly peer: Peer;
  readonly weight: number;
  readonly backup: boolean;
  readonly down: boolean;
  readonly #capacity: number;
  readonly #onRoom: () => void;
  readonly #lease: Lease<Peer>;
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
    this.#capacity = settings.capacity === 0 ? unlimited : settings.capacity;
    this.#onRoom = settings.onRoom;
    this.#lease = lease;
    this.#maxFails = maxFails;
    this.effectiveWeight = settings.weight;
  }

  /** Whether it has as many requests as it may. */
  get isFull(): boolean {
    return this.peer.inFlight >= this.#capacity;
  }

  /** A request goes here. Ends with exactly one `end`. */
  begin(): void {
    const { peer } = this;
    peer.inFlight++;
    peer.requests++;
    peer.health.onPick(monotonicMs());
  }

  /** The peer has answered. */
  succeed(): void {
    this.peer.health.onSuccess();
  }

  /** The peer has failed. Returns whether it is out for a while now. */
  fail(): boolean {
    const { peer } = this;
    peer.failures++;
    if (this.#maxFails > 0) {
      this.effectiveWeight = Math.max(0, this.effectiveWeight - this.weight / this.#maxFails);
    }
    return peer.health.onFailure(monotonicMs());
  }

  /** The request is over. */
  end(): void {
    const wasFull = this.isFull;
    this.peer.inFlight--;
    if (wasFull) this.#onRoom();
  }

  /** The upstream has no more use for the peer. */
  release(): void {
    this.#lease.release();
  }
}
