// Everything a front worker does, without process matters: listeners, the current Site, the swap to the next one,
// and a polite end.

import { compileIpRanges, type IpRangeTest } from '../base/ip-ranges.ts';
import type { Log } from '../base/log.ts';
import { SharedPool } from '../base/shared-pool.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import { keepNewObjectsYoung } from '../base/tune-heap.ts';
import type { Http1Settings } from '../http1/http1-settings.ts';
import { ConnectionLimits } from '../listener/connection-limits.ts';
import { Listener } from '../listener/listener.ts';
import type { ListenAddress } from '../listener/listener-shape.ts';
import type { AccessLog } from '../observe/access-log.ts';
import {
  type InstanceAddress,
  InstanceDirectory,
  type InstanceState,
} from '../upstream/instance-directory.ts';
import { compileSite } from './compile-site.ts';
import { SiteDispatcher } from './dispatch.ts';
import type { Site } from './site.ts';
import type { SiteSettings } from './site-settings.ts';

/** Serves a Site on listeners. */
export class SiteServer {
  readonly #log: Log;
  readonly #shared = new SharedPool();
  readonly #timers = new TimerWheel();
  readonly #instances = new InstanceDirectory();
  readonly #connectionLimits = new ConnectionLimits();
  readonly #listeners = new Map<string, Listener>();
  /** Taken off the config, but with connections that are still coming to their end. */
  readonly #leaving = new Set<Listener>();
  #dispatcher: SiteDispatcher | null = null;
  #http1Settings: Http1Settings | null = null;
  /** Of the addresses where connections begin with a head of the PROXY protocol: who may send one. */
  #headSenders: ReadonlyMap<string, IpRangeTest> = new Map();

  constructor(deps: { log: Log }) {
    this.#log = deps.log;
    keepNewObjectsYoung();
  }

  /**
   * Compiles and swaps in a Site. Throws, and keeps the old one, when it cannot be compiled; an access log that cannot
   * be opened is a reason, unless `servesUnlogged`.
   */
  swap(settings: SiteSettings, servesUnlogged = false): void {
    const site = compileSite(settings, {
      log: this.#log,
      shared: this.#shared,
      timers: this.#timers,
      instances: this.#instances,
      servesUnlogged,
    });
    this.#http1Settings = { timeouts: settings.timeouts, limits: settings.limits };
    const isTrusted = compileIpRanges(settings.trustedProxies);
    this.#connectionLimits.configure(settings.limits, isTrusted);
    const addresses = settings.servers.flatMap(({ listen }) => listen);
    const proxied = addresses.filter(({ proxyProtocol }) => proxyProtocol === true);
    this.#headSenders = new Map(proxied.map(({ key }) => [key, isTrusted]));
    for (const listener of this.#listeners.values())
      listener.configure(this.#http1Settings, this.#headSenders.get(listener.key) ?? null);
    this.#retire(site);
  }

  /**
   * Begins to accept on a handle that was bound for that address, and is known by `id` from now on. Needs a Site.
   * Rejects with the system's error.
   */
  async listen(address: ListenAddress, handle: object, id = address.key): Promise<void> {
    if (this.#dispatcher === null || this.#http1Settings === null) throw new Error('no site to serve yet');
    const listener = new Listener({
      key: address.key,
      dispatcher: this.#dispatcher,
      settings: this.#http1Settings,
      headSenders: this.#headSenders.get(address.key) ?? null,
      timers: this.#timers,
      connectionLimits: this.#connectionLimits,
      log: this.#log,
    });
    this.#listeners.set(id, listener);
    try {
      await listener.listen(handle);
    } catch (error) {
      this.#listeners.delete(id);
      throw error;
    }
  }

  /** Accepts no more on that handle; its connections come to a polite end. */
  unlisten(id: string): void {
    const listener = this.#listeners.get(id);
    if (listener === undefined) return;
    this.#listeners.delete(id);
    this.#leaving.add(listener);
    void listener.drain().then(() => this.#leaving.delete(listener));
  }

  /** Tells which instances of an application take requests. */
  setInstances(upstream: string, state: InstanceState, instances: readonly InstanceAddress[]): void {
    this.#instances.set(upstream, state, instances);
  }

  /** Whether no request is under way at an instance that takes none any more. */
  isQuiet(instanceId: string): boolean {
    return this.#instances.isQuiet(instanceId);
  }

  /** Opens the access logs anew, after a rotation. */
  reopenLogs(): void {
    for (const accessLog of this.#shared.values<AccessLog>('access-log:')) {
      try {
        accessLog.reopen();
      } catch (error) {
        this.#log('error', `cannot reopen an access log: ${(error as Error).message}`);
      }
    }
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#connectionLimits.total;
  }

  /** What is still being answered, one text each, for the log of a shutdown that takes long. */
  listActive(): string[] {
    return [...this.#listeners.values(), ...this.#leaving]
      .flatMap((listener) => listener.listExchanges())
      .map(({ method, target, clientAddress }) => `${method} ${target} for ${clientAddress}`);
  }

  /** Accepts no more; resolves when every connection has come to a polite end. */
  async drain(): Promise<void> {
    await Promise.all([...this.#listeners.values(), ...this.#leaving].map((listener) => listener.drain()));
  }

  /** Ends everything now. */
  close(): void {
    for (const listener of [...this.#listeners.values(), ...this.#leaving]) listener.close();
    this.#listeners.clear();
    this.#leaving.clear();
    this.#dispatcher?.site.usage.retire();
    this.#timers.close();
  }

  #retire(next: Site): void {
    if (this.#dispatcher === null) this.#dispatcher = new SiteDispatcher(next, this.#log);
    else this.#dispatcher.swap(next).usage.retire();
  }
}
