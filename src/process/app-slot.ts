// One place among the instances of an application: keeps a process in it, with a growing wait after each crash, and
// says when that has become hopeless.

import type { Log } from '../base/log.ts';
import { AppInstance, type AppSettings } from './app-instance.ts';
import { BackOff } from './back-off.ts';
import type { Role } from './role.ts';
import type { SocketFolder } from './socket-folder.ts';
import type { InstanceAddress } from './worker-messages.ts';

/** What a slot is made of. */
export interface SlotOptions {
  readonly upstream: string;
  /** From 1. */
  readonly number: number;
  readonly settings: AppSettings;
  readonly folder: SocketFolder;
  readonly role: Role;
  readonly log: Log;
  readonly onChange: () => void;
}

/** starting: for the first time, or anew after a death. failed: crashed too often, tried now and then. */
export type SlotState = 'starting' | 'ready' | 'failed';

/** Of all instances of this master: no two have the same id. */
let lastSerial = 0;

/** A place for an instance. */
export class AppSlot {
  readonly name: string;
  readonly #options: SlotOptions;
  readonly #backOff: BackOff;
  #instance: AppInstance;
  /** Those that said they end, and finish what runs while another one has taken their place. */
  readonly #leaving = new Set<AppInstance>();
  #timer: NodeJS.Timeout | undefined;
  #ending = false;
  #failed = false;
  #serial = 0;

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
    if (this.#instance.state !== 'ready') return null;
    return { id: `${this.name}.${this.#serial}`, path: this.#instance.socketPath };
  }

  /** Ends the instance, giving it so long to finish. */
  async end(timeoutMs: number): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#listAlive().map((instance) => instance.end(timeoutMs)));
  }

  /** Ends the instance now. */
  kill(): void {
    this.#ending = true;
    clearTimeout(this.#timer);
    for (const instance of this.#listAlive()) instance.kill();
  }

  #listAlive(): AppInstance[] {
    return [...new Set([this.#instance, ...this.#leaving])];
  }

  #spawn(): AppInstance {
    const { upstream, number, settings, folder, role, log } = this.#options;
    this.#serial = ++lastSerial;
    return new AppInstance({
      upstream,
      number,
      settings,
      role,
      log,
      socketPath: folder.createPath(`${upstream}-${number}`),
      onChange: () => this.#onChange(),
      onExit: (instance) => this.#onExit(instance),
    });
  }

  #onChange(): void {
    if (this.#instance.state === 'leaving' && !this.#ending) {
      // What it still finishes may take seconds: nobody should have to wait for that.
      this.#leaving.add(this.#instance);
      this.#replace(this.#instance);
      return;
    }
    if (this.#instance.state === 'ready') this.#failed = false;
    this.#options.onChange();
  }

  #onExit(instance: AppInstance): void {
    const isReplaced = this.#leaving.delete(instance);
    if (!isReplaced && !this.#ending) this.#replace(instance);
  }

  #replace(instance: AppInstance): void {
    const { role, log, onChange } = this.#options;
    let delayMs = this.#backOff.addDeath(instance.livedMs);
    if (this.#backOff.crashes >= role.failedAfter) {
      delayMs = role.failedDelayMs;
      if (!this.#failed) {
        log(
          'crit',
          `${this.name} failed: it crashed ${this.#backOff.crashes} times in a row; ` +
            `from now on it is tried every ${delayMs / 1000} s`,
        );
      }
      this.#failed = true;
    }
    this.#timer = setTimeout(() => {
      this.#instance = this.#spawn();
    }, delayMs);
    onChange();
  }
}
