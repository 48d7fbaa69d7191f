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
import type { ClientResponse } from '../message/upstream-connection.ts';
import type { ActiveCheck } from './active-check.ts';
import type { CallHost, Waiter } from './call-host.ts';
import { createCheck } from './create-check.ts';
import type { InstanceAddress, InstanceDirectory, InstanceEntry } from './instance-directory.ts';
import { Outlier } from './outlier.ts';
import { Peer, type PeerSettings } from './peer.ts';
import { PeerSlot, type SlotSettings } from './peer-slot.ts';
import { type PeerSnapshot, takeSnapshot } from './peer-snapshot.ts';
import { takeUpstreamTls, type UpstreamTls } from './peer-tls.ts';
import { RetryBudget } from './retry-budget.ts';
import { RetryRules } from './retry-rules.ts';
import { ServerAddresses, type ServerEntry } from './server-addresses.ts';
import { SlotChooser } from './slot-chooser.ts';
import { type CallOwner, UpstreamCall } from './upstream-call.ts';
import { UpstreamCounters } from './upstream-counters.ts';
import type { UpstreamSettings } from './upstream-shape.ts';

/** What an upstream is made with: all of it outlives it. */
export interface UpstreamDeps {
  readonly shared: SharedPool;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly instances: InstanceDirectory;
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
  readonly retries: RetryRules;
  readonly counters = new UpstreamCounters();
  readonly waitMs: number;
  readonly requestTimeoutMs: number;
  readonly #settings: UpstreamSettings;
  readonly #deps: UpstreamDeps;
  readonly #chooser: SlotChooser;
  readonly #budget: RetryBudget;
  readonly #unsubscribe: () => void;
  /** Who came first is served first. */
  readonly #waiting = new Set<Waiter>();
  /** Requests that may wait. */
  readonly #maxWaiting: number;
  #slots: PeerSlot[] = [];
  #slotsById = new Map<string, PeerSlot>();
  #entry: InstanceEntry | null = null;
  readonly #addresses: ServerAddresses | null = null;
  readonly #tls: Lease<UpstreamTls> | null = null;

  constructor(name: string, settings: UpstreamSettings, deps: UpstreamDeps) {
    this.name = name;
    this.retries = new RetryRules(settings.retries);
    this.#budget = new RetryBudget(settings.retries.budget);
    this.requestTimeoutMs = settings.timeouts.request;
    this.waitMs = settings.timeouts.connect;
    this.#settings = settings;
    this.#deps = deps;
    this.#maxWaiting = settings.queue;
    this.#chooser = new SlotChooser(settings, name, this.counters);
    if ('servers' in settings) {
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
    const { send, read, firstByte = read } = this.#settings.timeouts;
    const limits = { sendTimeoutMs: send, readTimeoutMs: read, firstByteTimeoutMs: firstByte };
    const request = { method: exchange.method, head, body, ...limits };
    return new UpstreamCall(this, request, exchange, owner);
  }

  /** How long to wait for a peer's connection, and for its first byte, in milliseconds. */
  get timeouts(): { readonly connect: number; readonly read: number } {
    return this.#settings.timeouts;
  }

  pick(
    tried: readonly PeerSlot[] | null,
    exchange: Exchange | null = null,
    mayProbe = true,
  ): PeerSlot | null {
    return this.#chooser.pick(this.#slots, tried, exchange, mayProbe);
  }

  beginRequest(): void {
    this.counters.requests++;
    this.#budget.begin();
  }

  endRequest(isRetrying: boolean): void {
    this.#budget.end(isRetrying);
  }

  takeRetry(): boolean {
    if (this.#budget.take()) return true;
    this.counters.retriesRefused++;
    return false;
  }

  createDeadline(onExpire: () => void): Deadline {
    return this.#deps.timers.createDeadline(onExpire);
  }

  get peerCount(): number {
    return this.#slots.length;
  }

  noteAnswer(slot: PeerSlot, status: number, startedAtMs: number): void {
    const isError = status >= 500;
    if (isError) slot.peer.counters.serverErrors++;
    // What is wrong is soon said: it must not make a peer look fast.
    else {
      const nowMs = monotonicMs();
      slot.peer.responseTime.add(nowMs - startedAtMs, nowMs);
    }
    if (slot.outlier?.note(isError)) this.#eject(slot, slot.outlier, `it answered ${status} again and again`);
  }

  finishAnswer(slot: PeerSlot, { fields }: ClientResponse, exchange: Exchange): void {
    const binding = this.#chooser.renderBinding(exchange, slot);
    if (binding !== null) fields.push('Set-Cookie', binding);
  }

  noteFailure(slot: PeerSlot, failure: ClientFailure): void {
    const { facts, detail, isOwn } = failure;
    if (isOwn) return;
    slot.peer.counters.countFailure(failure);
    if (slot.outlier?.note(true)) this.#eject(slot, slot.outlier, detail);
    // Whether an instance is well is the supervisor's to judge; here only one that cannot be reached is avoided.
    if (this.#entry !== null && facts.phase !== 'connect') return;
    if (slot.fail() && this.#slots.length > 1) {
      this.#deps.log('warn', `upstream ${this.name}: ${slot.peer.name} is out for a while: ${detail}`);
    }
  }

  describeAbsence(): HttpError {
    const isFailed = this.#entry?.state === 'failed';
    if (!isFailed && this.#slots.some((slot) => slot.isFull)) {
      const kind = this.#entry === null ? 'servers' : 'instances';
      const detail = `upstream ${this.name}: all ${kind} that are well have as many requests as they may`;
      return new HttpError('TSS_UPSTREAM_BUSY', detail, ['Retry-After', retryAfterSeconds]);
    }
    if (this.#entry === null) return this.#describeServers();
    const why = isFailed ? 'the application has failed' : 'no instance became ready';
    return new HttpError('TSS_UPSTREAM_UNAVAILABLE', `upstream ${this.name}: ${why}`);
  }

  wait(waiter: Waiter): Deadline | null {
    const isWorthIt = this.#entry === null ? this.#isRoomToCome : this.#entry.state !== 'failed';
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
    const isAlone = this.#slots.length === 1 && this.#slots[0].check === null;
    return this.#slots.map((slot) => takeSnapshot(slot, isAlone, nowMs));
  }

  /** How many requests wait for a peer. */
  get waiting(): number {
    return this.#waiting.size;
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

  /** Whether a server may take a request soon: one has too many now, is checked for the first time, or is looked up. */
  get #isRoomToCome(): boolean {
    return this.#isUnresolved || this.#slots.some((slot) => !slot.down && (slot.isFull || slot.isChecking));
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
    const { maxFails, failTimeout: failTimeoutMs, down, drain, maxConns: capacity, slowStart } = server;
    return this.#createSlot(
      { address, idleTimeoutMs: serverIdleMs, maxFails, failTimeoutMs },
      { weight, backup, down, drain, capacity, slowStartMs: slowStart, onRoom: this.#onRoom },
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
        isMultiplexed: 'app' in settings && settings.interface === 'fetch',
        maxFails: 1,
        failTimeoutMs: instanceFailTimeoutMs,
      },
      {
        weight: 1,
        backup: false,
        down: false,
        drain: false,
        slowStartMs: 0,
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
    settings: Pick<
      PeerSettings,
      'address' | 'idleTimeoutMs' | 'maxFails' | 'failTimeoutMs' | 'isMultiplexed'
    >,
    slot: Omit<SlotSettings, 'check' | 'outlier'>,
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
    const key = `${id}:${JSON.stringify(full)}`;
    const lease = shared.take(
      `peer:${key}`,
      () => new Peer(full, tls === null ? null : tls.createPeerTls(name), timers, log),
    );
    const watches = { check: this.#takeCheck(key, lease.value, slot.down), outlier: this.#takeOutlier(key) };
    return new PeerSlot(lease, { ...slot, ...watches }, settings.maxFails);
  }

  /** Health goes with the peer: it is known again after a reload, and to whoever checks the same peer the same way. */
  #takeCheck(key: string, peer: Peer, down: boolean): Lease<ActiveCheck> | null {
    const settings = this.#settings;
    if (!('servers' in settings) || settings.health === undefined || down) return null;
    const { health } = settings;
    const name = `check:${JSON.stringify(health)}:${key}`;
    return this.#deps.shared.take(name, () => createCheck(health, peer, `upstream ${this.name}`, this.#deps));
  }

  #takeOutlier(key: string): Lease<Outlier> | null {
    const settings = this.#settings;
    if (!('servers' in settings) || settings.outliers === undefined) return null;
    const { outliers } = settings;
    return this.#deps.shared.take(`outlier:${JSON.stringify(outliers)}:${key}`, () => new Outlier(outliers));
  }

  /** Takes an outlier out, unless too many are out already. */
  #eject(slot: PeerSlot, outlier: Outlier, why: string): void {
    const settings = this.#settings;
    if (!('servers' in settings) || settings.outliers === undefined) return;
    const nowMs = monotonicMs();
    const ejected = this.#slots.filter((each) => each.outlier?.isEjected(nowMs)).length;
    const most = Math.max(1, Math.floor((this.#slots.length * settings.outliers.maxEjected) / 100));
    if (ejected >= most || this.#slots.length === 1 || outlier.isEjected(nowMs)) return;
    const seconds = outlier.eject(nowMs) / 1000;
    slot.peer.counters.ejections++;
    this.#deps.log('warn', `upstream ${this.name}: ${slot.peer.name} is out for ${seconds} s: ${why}`);
  }
}
