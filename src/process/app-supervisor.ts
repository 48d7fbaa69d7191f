// Runs the application of one upstream: keeps its instances alive, tells the fronts which of them take requests, and
// replaces all of them by new ones at a reload without a moment in between.

import type { Log } from '../base/log.ts';
import { AppGeneration } from './app-generation.ts';
import type { AppSettings } from './app-instance.ts';
import type { Role } from './role.ts';
import type { SocketFolder } from './socket-folder.ts';
import type { InstancesOrder } from './worker-messages.ts';

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly upstream: string;
  readonly folder: SocketFolder;
  readonly role: Role;
  readonly log: Log;
  /** Tells the fronts; resolves when all of them know. */
  readonly publish: (order: InstancesOrder) => Promise<void>;
}

const drainMs = 30_000;

/** The supervisor of one application. */
export class AppSupervisor {
  readonly #options: SupervisorOptions;
  #current: AppGeneration;
  /** The current one, one that is coming up, and those that finish. */
  readonly #alive = new Set<AppGeneration>();
  #ending = false;
  #lastState = '';

  /** Starts the instances. */
  constructor(settings: AppSettings, options: SupervisorOptions) {
    this.#options = options;
    this.#current = this.#createGeneration(settings);
    void this.#publish();
  }

  /** Resolves to whether the instances in use all came up at their first try. */
  get started(): Promise<boolean> {
    return this.#current.started;
  }

  /**
   * Starts new instances and switches to them when all are ready. When one crashes instead, the old ones stay and
   * the answer is false; unless the old ones do not serve either.
   */
  async replace(settings: AppSettings): Promise<boolean> {
    const next = this.#createGeneration(settings);
    const started = await next.started;
    if (this.#ending) return false;
    if (!started && this.#current.listReady().length > 0) {
      this.#options.log(
        'error',
        `upstream ${this.#options.upstream}: the new instances do not start; the old ones serve on`,
      );
      void this.#retire(next, 0);
      return false;
    }
    const old = this.#current;
    this.#current = next;
    await this.#publish();
    void this.#retire(old, drainMs);
    return started;
  }

  /** Ends all instances, giving them so long to finish. */
  async end(timeoutMs: number): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#alive].map((generation) => generation.end(timeoutMs)));
  }

  /** Ends all instances now. */
  kill(): void {
    this.#ending = true;
    for (const generation of this.#alive) generation.kill();
  }

  async #retire(generation: AppGeneration, timeoutMs: number): Promise<void> {
    await generation.end(timeoutMs);
    this.#alive.delete(generation);
  }

  #createGeneration(settings: AppSettings): AppGeneration {
    const generation: AppGeneration = new AppGeneration({
      ...this.#options,
      settings,
      onChange: () => {
        if (generation === this.#current && !this.#ending) void this.#publish();
      },
    });
    this.#alive.add(generation);
    return generation;
  }

  async #publish(): Promise<void> {
    const { upstream, log, publish } = this.#options;
    const { state } = this.#current;
    const instances = this.#current.listReady();
    if (state !== this.#lastState && state === 'failed') {
      log('crit', `upstream ${upstream}: no instance starts; clients are answered 503`);
    }
    this.#lastState = state;
    try {
      await publish({ type: 'instances', upstream, state, instances });
    } catch (error) {
      log('error', `upstream ${upstream}: the workers were not told: ${(error as Error).message}`);
    }
  }
}
