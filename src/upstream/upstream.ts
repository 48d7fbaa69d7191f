// A group of peers under one name: has requests tried on them, follows the instances of an application, and has
// requests wait while an application starts or all its instances are full.

import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SharedPool } from '../base/shared-pool.ts';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import type { BodySource } from '../message/body.ts';
import type { ClientFailure } from '../message/client-failure.ts';
import type { Exchange } from '../message/exchange.ts';
import { HttpError } from '../message/http-error.ts';
import type { InstanceAddress, InstanceDirectory, InstanceEntry } from './instance-directory.ts';
import { Peer, type PeerSettings } from './peer.ts';
import { PeerSlot, type SlotSettings } from './peer-slot.ts';
import { pickSlot } from './pick-slot.ts';
import { type CallHost, type CallOwner, UpstreamCall, type Waiter } from './upstream-call.ts';
import type { UpstreamSettings } from './upstream-shape.ts';

/** What an upstream is made with: all of it outlives it. */
export interface UpstreamDeps {
  readonly shared: SharedPool;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly instances: InstanceDirectory;
}

/** A peer as a status page shows it. */
export interface PeerSnapshot {
  readonly address: string;
  readonly state: 'up' | 'out' | 'down';
  readonly backup: boolean;
  readonly weight: number;
  readonly inFlight: number;
  readonly idle: number;
  readonly requests: number;
  readonly failures: number;
}

/**
 * Servers in use close idle connections after 5 s (Node, uvicorn) or 2 s (gunicorn, which does not say so). What is
 * closed under a request is found out in time or, if it may be, sent again.
 */
const serverIdleMs = 4_000;

/** An instance of an application keeps idle connections for longer than that. */
const instanceIdleMs = 60_000;

/** The supervisor looks after instances: one that refuses connections is left alone for this time only. */
const instanceFailTimeoutMs = 1_000;

/** What a client is told that finds everything full: long enough to be of use, short enough not to lose it. */
const retryAfterSeconds = '1';

/** A named group of peers. */
export class Upstream implements CallHost {
  readonly name: string;
  readonly retries: { readonly tries: number; readonly timeout: number };
  readonly waitMs: number;
  readonly #settings: UpstreamSettings;
  readonly #deps: UpstreamDeps;
  readonly #unsubscribe: () => void;
  /** Who came first is served first. */
  readonly #waiting = new Set<Waiter>();
  /** Requests that may wait. */
  readonly #maxWaiting: number;
  #slots: PeerSlot[] = [];
  #slotsById = new Map<string, PeerSlot>();
  #entry: InstanceEntry | null = null;

  constructor(name: string, settings: UpstreamSettings, deps: UpstreamDeps) {
    this.name = name;
    this.retries = settings.retries;
    this.waitMs = settings.timeouts.connect;
    this.#settings = settings;
    this.#deps = deps;
    this.#maxWaiting = 'servers' in settings ? 0 : settings.queue;
    if (!('servers' in settings)) {
      this.#unsubscribe = deps.instances.subscribe(name, () => this.#follow(deps.instances.get(name)));
      this.#follow(deps.instances.get(name));
    } else {
      this.#unsubscribe = () => {};
      this.#slots = settings.servers.map((server) =>
        this.#createSlot(
          { address: server.url, idleTimeoutMs: serverIdleMs, ...pickFailSettings(server) },
          { ...server, capacity: 0, onRoom: ignore },
          '',
        ),
      );
    }
  }

  /**
   * Sends a request to one peer after another, as far as that is safe, and notes the tries on the exchange. `head` is
   * the request line and the fields, latin1, each line with its CRLF; the message is framed by the body's length.
   */
  call(exchange: Exchange, head: string, body: BodySource | null, owner: CallOwner): UpstreamCall {
    const { send, read } = this.#settings.timeouts;
    const request = { method: exchange.method, head, body, sendTimeoutMs: send, readTimeoutMs: read };
    return new UpstreamCall(this, request, exchange, owner);
  }

  /** How long to wait for a peer's connection, and for its first byte, in milliseconds. */
  get timeouts(): { readonly connect: number; readonly read: number } {
    return this.#settings.timeouts;
  }

  pick(tried: readonly PeerSlot[] | null): PeerSlot | null {
    const { balance } = this.#settings;
    // As nginx: a peer that is alone is never taken out. Nor are all instances of an application at once.
    const nowMs = this.#slots.length === 1 ? null : monotonicMs();
    const slot = pickSlot(this.#slots, balance, tried, nowMs);
    if (slot !== null || this.#entry === null) return slot;
    return pickSlot(this.#slots, balance, tried, null);
  }

  noteFailure(slot: PeerSlot, { facts, detail }: ClientFailure): void {
    // Whether an instance is well is the supervisor's to judge; here only one that cannot be reached is avoided.
    if (this.#entry !== null && facts.phase !== 'connect') return;
    if (slot.fail() && this.#slots.length > 1) {
      this.#deps.log('warn', `upstream ${this.name}: ${slot.peer.name} is out for a while: ${detail}`);
    }
  }

  describeAbsence(): HttpError {
    if (this.#entry === null) {
      return new HttpError('TSS_UPSTREAM_UNAVAILABLE', `upstream ${this.name}: no live server`);
    }
    const { state } = this.#entry;
    if (this.#slots.length > 0 && state !== 'failed') {
      const detail = `upstream ${this.name}: all ${this.#slots.length} instances have as many requests as they may`;
      return new HttpError('TSS_UPSTREAM_BUSY', detail, ['Retry-After', retryAfterSeconds]);
    }
    const why = state === 'failed' ? 'the application has failed' : 'no instance became ready';
    return new HttpError('TSS_UPSTREAM_UNAVAILABLE', `upstream ${this.name}: ${why}`);
  }

  wait(waiter: Waiter): Deadline | null {
    const entry = this.#entry;
    if (entry === null || entry.state === 'failed' || this.#waiting.size >= this.#maxWaiting) return null;
    this.#waiting.add(waiter);
    return this.#deps.timers.createDeadline(() => waiter.resume());
  }

  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** The peers as they are now. */
  snapshot(): PeerSnapshot[] {
    const nowMs = monotonicMs();
    const isAlone = this.#slots.length === 1;
    return this.#slots.map(({ peer, backup, down, weight }) => ({
      address: peer.name,
      state: down ? 'down' : isAlone || peer.health.isAvailable(nowMs) ? 'up' : 'out',
      backup,
      weight,
      inFlight: peer.inFlight,
      idle: peer.idleCount,
      requests: peer.requests,
      failures: peer.failures,
    }));
  }

  /** Lets go of the peers. Requests that are under way go on to their end. */
  close(): void {
    this.#unsubscribe();
    for (const slot of this.#slots) slot.release();
  }

  /** Takes over the instances that are there now: those that stay keep their turn, those that left are drained. */
  #follow(entry: InstanceEntry): void {
    this.#entry = entry;
    const before = this.#slotsById;
    this.#slotsById = new Map(
      entry.instances.map((instance) => [
        instance.id,
        before.get(instance.id) ?? this.#createInstanceSlot(instance),
      ]),
    );
    this.#slots = [...this.#slotsById.values()];
    // Turns that one is owed count among the same slots only: a newcomer owes nobody anything.
    for (const slot of this.#slots) slot.currentWeight = 0;
    for (const [key, slot] of before) if (!this.#slotsById.has(key)) slot.release();
    for (const waiter of [...this.#waiting]) waiter.resume();
  }

  #createInstanceSlot({ id, ...address }: InstanceAddress): PeerSlot {
    const settings = this.#settings;
    const slot = this.#createSlot(
      {
        address,
        idleTimeoutMs: 'app' in settings ? instanceIdleMs : serverIdleMs,
        maxFails: 1,
        failTimeoutMs: instanceFailTimeoutMs,
      },
      {
        weight: 1,
        backup: false,
        down: false,
        capacity: 'servers' in settings ? 0 : settings.concurrency,
        onRoom: this.#onRoom,
      },
      id,
    );
    this.#deps.instances.addLoad(id, slot.peer);
    return slot;
  }

  /** One place is free: for who has waited longest. Later, because whoever frees it is in the middle of something. */
  readonly #onRoom = (): void => {
    if (this.#waiting.size > 0) queueMicrotask(this.#resumeFirst);
  };

  readonly #resumeFirst = (): void => {
    const [first] = this.#waiting;
    first?.resume();
  };

  #createSlot(
    settings: Pick<PeerSettings, 'address' | 'idleTimeoutMs' | 'maxFails' | 'failTimeoutMs'>,
    slot: SlotSettings,
    id: string,
  ): PeerSlot {
    const { keepalive, timeouts } = this.#settings;
    const full: PeerSettings = { ...settings, keepalive, connectTimeoutMs: timeouts.connect };
    const { shared, timers, log } = this.#deps;
    const lease = shared.take(`peer:${id}:${JSON.stringify(full)}`, () => new Peer(full, timers, log));
    return new PeerSlot(lease, slot, settings.maxFails);
  }
}

function ignore(): void {}

function pickFailSettings(server: { maxFails: number; failTimeout: number }) {
  return { maxFails: server.maxFails, failTimeoutMs: server.failTimeout };
}
