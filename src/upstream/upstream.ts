// A group of peers under one name: has requests tried on them, follows the instances of an application, and has
// requests wait while an application starts or all its instances are full.

import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Lease, SharedPool } from '../base/shared-pool.ts';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import type { BodySource } from '../message/body.ts';
import type { ClientFailure } from '../message/client-failure.ts';
import type { Exchange } from '../message/exchange.ts';
import { HttpError } from '../message/http-error.ts';
import type { InstanceAddress, InstanceDirectory, InstanceEntry } from './instance-directory.ts';
import { Peer, type PeerSettings } from './peer.ts';
import { PeerSlot, type SlotSettings } from './peer-slot.ts';
import { takeUpstreamTls, type UpstreamTls } from './peer-tls.ts';
import { pickSlot } from './pick-slot.ts';
import { ServerAddresses, type ServerEntry } from './server-addresses.ts';
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

/** Requests that may wait until the names of servers have been looked up for the first time. */
const maxWaitingForNames = 1024;

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
  readonly #addresses: ServerAddresses | null = null;
  readonly #isOneServer: boolean = false;
  readonly #tls: Lease<UpstreamTls> | null = null;

  constructor(name: string, settings: UpstreamSettings, deps: UpstreamDeps) {
    this.name = name;
    this.retries = settings.retries;
    this.waitMs = settings.timeouts.connect;
    this.#settings = settings;
    this.#deps = deps;
    this.#maxWaiting = 'servers' in settings ? maxWaitingForNames : settings.queue;
    if ('servers' in settings) {
      this.#isOneServer = settings.servers.length === 1;
      this.#tls =
        settings.servers[0].url.protocol === 'https' ? takeUpstreamTls(settings.tls, deps.shared) : null;
      const addresses = new ServerAddresses(settings, deps, () => this.#followServers(addresses));
      this.#addresses = addresses;
      this.#unsubscribe = () => addresses.close();
      this.#followServers(addresses);
    } else {
      this.#unsubscribe = deps.instances.subscribe(name, () => this.#follow(deps.instances.get(name)));
      this.#follow(deps.instances.get(name));
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
    // As nginx: a peer that is alone is never taken out. Nor are all instances of an application at once, or all
    // addresses of a server that is alone.
    const nowMs = this.#slots.length === 1 ? null : monotonicMs();
    const slot = pickSlot(this.#slots, balance, tried, nowMs);
    if (slot !== null || (this.#entry === null && !this.#isOneServer)) return slot;
    return pickSlot(this.#slots, balance, tried, null);
  }

  noteFailure(slot: PeerSlot, { facts, detail, isOwn }: ClientFailure): void {
    if (isOwn) return;
    // Whether an instance is well is the supervisor's to judge; here only one that cannot be reached is avoided.
    if (this.#entry !== null && facts.phase !== 'connect') return;
    if (slot.fail() && this.#slots.length > 1) {
      this.#deps.log('warn', `upstream ${this.name}: ${slot.peer.name} is out for a while: ${detail}`);
    }
  }

  describeAbsence(): HttpError {
    if (this.#entry === null) return this.#describeServers();
    const { state } = this.#entry;
    if (this.#slots.length > 0 && state !== 'failed') {
      const detail = `upstream ${this.name}: all ${this.#slots.length} instances have as many requests as they may`;
      return new HttpError('TSS_UPSTREAM_BUSY', detail, ['Retry-After', retryAfterSeconds]);
    }
    const why = state === 'failed' ? 'the application has failed' : 'no instance became ready';
    return new HttpError('TSS_UPSTREAM_UNAVAILABLE', `upstream ${this.name}: ${why}`);
  }

  wait(waiter: Waiter): Deadline | null {
    const isWorthIt = this.#entry === null ? this.#isUnresolved : this.#entry.state !== 'failed';
    if (!isWorthIt || this.#waiting.size >= this.#maxWaiting) return null;
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
    this.#tls?.release();
  }

  /** Whether no address is known, and some may be at any moment: names are looked up for the first time. */
  get #isUnresolved(): boolean {
    return this.#slots.length === 0 && this.#addresses?.isPending === true;
  }

  #describeServers(): HttpError {
    const problem = this.#addresses?.problem ?? null;
    if (this.#slots.length > 0 || (problem === null && !this.#isUnresolved)) {
      return new HttpError('TSS_UPSTREAM_UNAVAILABLE', `upstream ${this.name}: no live server`);
    }
    const why = problem ?? 'its names are still being looked up';
    return new HttpError('TSS_UPSTREAM_ADDRESS', `upstream ${this.name}: ${why}`);
  }

  #follow(entry: InstanceEntry): void {
    this.#entry = entry;
    const { instances } = entry;
    this.#replaceSlots(instances.map((instance) => [instance.id, () => this.#createInstanceSlot(instance)]));
  }

  #followServers(addresses: ServerAddresses): void {
    this.#replaceSlots(addresses.list().map((entry) => [entry.key, () => this.#createServerSlot(entry)]));
  }

  /** Takes over the peers that are there now: those that stay keep their state, those that left are drained. */
  #replaceSlots(peers: readonly (readonly [id: string, create: () => PeerSlot])[]): void {
    const before = this.#slotsById;
    this.#slotsById = new Map(peers.map(([id, create]) => [id, before.get(id) ?? create()]));
    this.#slots = [...this.#slotsById.values()];
    // Turns that one is owed count among the same slots only: a newcomer owes nobody anything.
    for (const slot of this.#slots) slot.currentWeight = 0;
    for (const [key, slot] of before) if (!this.#slotsById.has(key)) slot.release();
    for (const waiter of [...this.#waiting]) waiter.resume();
  }

  #createServerSlot({ address, hostName, weight, backup, server }: ServerEntry): PeerSlot {
    const { maxFails, failTimeout: failTimeoutMs, down } = server;
    return this.#createSlot(
      { address, idleTimeoutMs: serverIdleMs, maxFails, failTimeoutMs },
      { weight, backup, down, capacity: 0, onRoom: ignore },
      '',
      hostName,
    );
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
    hostName: string | null = null,
  ): PeerSlot {
    const { keepalive, timeouts } = this.#settings;
    const proxyProtocol = ('servers' in this.#settings && this.#settings.proxyProtocol) || null;
    const tls = this.#tls?.value ?? null;
    const name = tls === null ? '' : tls.findName(hostName);
    const full: PeerSettings = {
      ...settings,
      keepalive,
      connectTimeoutMs: timeouts.connect,
      tls: tls === null ? null : { name, fingerprint: tls.fingerprint },
      proxyProtocol,
    };
    const { shared, timers, log } = this.#deps;
    const lease = shared.take(
      `peer:${id}:${JSON.stringify(full)}`,
      () => new Peer(full, tls === null ? null : tls.createPeerTls(name), timers, log),
    );
    return new PeerSlot(lease, slot, settings.maxFails);
  }
}

function ignore(): void {}
