// One place among the instances of an application: keeps a process in it, with a growing wait after each crash, says
// when that has become hopeless, and puts a fresh process in the place of one that is used up.

import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { AppInstance } from './app-instance.ts';
import { BackOff } from './back-off.ts';
import type { ProgramSettings } from './program-settings.ts';
import type { ProgramRole } from './role.ts';
import type { SocketFolder } from './socket-folder.ts';
import type { InstanceAddress } from './worker-messages.ts';

/** What a slot is made of. */
export interface SlotOptions {
  readonly upstream: string;
  /** From 1. */
  readonly number: number;
  readonly settings: ProgramSettings;
  readonly folder: SocketFolder;
  readonly role: ProgramRole;
  readonly log: Log;
  /** Another instance takes its requests, or none. Resolves when whoever sends them knows. */
  readonly onChange: () => Promise<void>;
  /** Its instance should be replaced, when it suits. */
  readonly onWorn: (slot: AppSlot, reason: string) => void;
  /** Resolves when an instance that is told of no more has no request left, or after `timeoutMs`. */
  readonly settle: (id: string, timeoutMs: number) => Promise<void>;
}

/** starting: for the first time, or anew after a death. failed: crashed too often, tried now and then. */
export type SlotState = 'starting' | 'ready' | 'failed';

/** One instance as a status page shows it. */
export interface InstanceSnapshot {
  readonly name: string;
  readonly pid: number;
  readonly state: SlotState;
  readonly requests: number;
  /** How long it has taken requests, in milliseconds. */
  readonly livedMs: number;
  /** Crashes in a row before it. */
  readonly crashes: number;
}

/** Of all instances of this master: no two have the same id. */
let lastSerial = 0;

/** A place for an instance. */
export class AppSlot {
  readonly name: string;
  readonly #options: SlotOptions;
  readonly #backOff: BackOff;
  #instance: AppInstance;
  /** The one that comes up beside it to take its place. */
  #successor: AppInstance | null = null;
  #onSuccession: (succeeded: boolean) => void = () => {};
  /** Those that finish what runs while another one has taken their place. */
  readonly #leaving = new Set<AppInstance>();
  #timer: NodeJS.Timeout | undefined;
  #ending = false;
  #failed = false;
  /** Why the last instance that ended unasked did so; "" while none has. */
  failure = '';

  constructor(options: SlotOptions) {
    this.name = `${options.upstream}#${options.number}`;
    this.#options = options;
    this.#backOff = new BackOff(options.role.restart);
    this.#instance = this.#spawn();
  }

  get state(): SlotState {
    if (this.#instance.state === 'ready') return 'ready';
    return this.#failed ? 'failed' : 'starting';
  }

  /** Deaths in a row without one second of life. */
  get crashes(): number {
    return this.#backOff.crashes;
  }

  /** Where requests go; null while it takes none. */
  get address(): InstanceAddress | null {
    const { state, id, address } = this.#instance;
    return state === 'ready' ? { id, ...address } : null;
  }

  snapshot(): InstanceSnapshot {
    const { pid, requests, livedMs } = this.#instance;
    return { name: this.name, pid, state: this.state, requests, livedMs, crashes: this.crashes };
  }

  /** Starts another instance beside the present one and has it take its place when it is ready. Resolves to whether it came to that. */
  recycle(): Promise<boolean> {
    if (this.#ending || this.#successor !== null || this.#instance.state !== 'ready') {
      return Promise.resolve(false);
    }
    this.#successor = this.#spawn();
    return new Promise((resolve) => {
      this.#onSuccession = resolve;
    });
  }

  /** Ends the instance, giving it so long to finish. To be called when nobody sends it anything any more. */
  async end(timeoutMs: number): Promise<void> {
    this.#stop();
    await Promise.all(this.#listAlive().map((instance) => instance.end(timeoutMs)));
  }

  /** As `end`, but while others serve: first lets the requests that were sent before come to their end. */
  async retire(timeoutMs: number): Promise<void> {
    this.#stop();
    await Promise.all(this.#listAlive().map((instance) => this.#retire(instance, timeoutMs)));
  }

  /** Ends the instance now. */
  kill(): void {
    this.#stop();
    for (const instance of this.#listAlive()) instance.kill();
  }

  #stop(): void {
    this.#ending = true;
    clearTimeout(this.#timer);
    this.#onSuccession(false);
  }

  #listAlive(): AppInstance[] {
    const all = [this.#instance, ...this.#leaving];
    if (this.#successor !== null) all.push(this.#successor);
    return [...new Set(all)];
  }

  #spawn(): AppInstance {
    const { upstream, number, settings, folder, role, log } = this.#options;
    return new AppInstance({
      upstream,
      number,
      serial: ++lastSerial,
      settings,
      folder,
      role,
      log,
      onChange: (instance) => this.#onChange(instance),
      onWorn: (instance, reason) => this.#onWorn(instance, reason),
      onExit: (instance) => this.#onExit(instance),
    });
  }

  #onChange(instance: AppInstance): void {
    if (this.#leaving.has(instance)) return;
    if (instance === this.#successor) {
      if (instance.state === 'ready') this.#succeed(instance);
      return;
    }
    if (instance.state === 'leaving' && !this.#ending) {
      // What it still finishes may take seconds: nobody should have to wait for that.
      this.#leaving.add(instance);
      this.#replace(instance);
      return;
    }
    if (instance.state === 'ready') this.#failed = false;
    void this.#options.onChange();
  }

  #onWorn(instance: AppInstance, reason: string): void {
    if (instance === this.#instance && !this.#ending) this.#options.onWorn(this, reason);
  }

  #onExit(instance: AppInstance): void {
    if (instance.failure !== '') this.failure = instance.failure;
    if (instance === this.#successor) {
      this.#successor = null;
      this.#onSuccession(false);
      return;
    }
    const isReplaced = this.#leaving.delete(instance);
    if (!isReplaced && !this.#ending) this.#replace(instance);
  }

  #succeed(successor: AppInstance): void {
    const old = this.#instance;
    this.#successor = null;
    this.#instance = successor;
    this.#leaving.add(old);
    void this.#options.onChange().then(() => this.#retire(old, this.#options.settings.drainTimeout));
    this.#onSuccession(true);
  }

  async #retire(instance: AppInstance, timeoutMs: number): Promise<void> {
    const startedAtMs = monotonicMs();
    // An application finishes what it has by itself. Another program may cut it off.
    if ('command' in this.#options.settings) await this.#options.settle(instance.id, timeoutMs);
    await instance.end(Math.max(0, timeoutMs - (monotonicMs() - startedAtMs)));
  }

  #replace(instance: AppInstance): void {
    const { onChange } = this.#options;
    if (this.#successor !== null) {
      // One is on its way already.
      this.#instance = this.#successor;
      this.#successor = null;
      this.#onSuccession(true);
      void onChange();
      return;
    }
    const delayMs = this.#chooseDelayMs(instance.livedMs);
    this.#timer = setTimeout(() => {
      this.#instance = this.#spawn();
    }, delayMs);
    void onChange();
  }

  #chooseDelayMs(livedMs: number): number {
    const { role, log } = this.#options;
    const delayMs = this.#backOff.addDeath(livedMs);
    if (this.#backOff.crashes < role.failedAfter) return delayMs;
    if (!this.#failed) {
      log(
        'crit',
        `${this.name} failed: it crashed ${this.#backOff.crashes} times in a row; ` +
          `from now on it is tried every ${role.failedDelayMs / 1000} s`,
      );
    }
    this.#failed = true;
    return role.failedDelayMs;
  }
}
