// Runs the application of one upstream: keeps its instances alive, tells the fronts which of them take requests, and
// replaces all of them by new ones at a reload without a moment in between.

import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { AppGeneration } from './app-generation.ts';
import type { InstanceSnapshot } from './app-slot.ts';
import { describeEnvironmentChange } from './instance-environment.ts';
import type { ProgramSettings } from './program-settings.ts';
import type { ProgramRole } from './role.ts';
import type { SocketFolder } from './socket-folder.ts';
import type { InstanceState, InstancesOrder } from './worker-messages.ts';

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly upstream: string;
  readonly folder: SocketFolder;
  readonly role: ProgramRole;
  readonly log: Log;
  /** Tells the fronts; resolves when all of them know. */
  readonly publish: (order: InstancesOrder) => Promise<void>;
  /** Whether no front has a request at an instance that was taken out. */
  readonly isQuiet: (id: string) => Promise<boolean>;
}

/** An application as a status page shows it. */
export interface ProgramSnapshot {
  readonly upstream: string;
  readonly state: InstanceState;
  readonly instances: readonly InstanceSnapshot[];
  /** Why the last change of code or settings was taken back; "" if it was not. */
  readonly rolledBack: string;
}

const quietStepMs = 50;
const mostInstances = 1024;

/** The supervisor of one application. */
export class AppSupervisor {
  readonly #options: SupervisorOptions;
  #current: AppGeneration;
  /** The one that is coming up to take its place. */
  #next: AppGeneration | null = null;
  /** The current one, one that is coming up, and those that finish. */
  readonly #alive = new Set<AppGeneration>();
  #ending = false;
  #lastState = '';
  #rolledBack = '';

  /** Starts the instances. */
  constructor(settings: ProgramSettings, options: SupervisorOptions) {
    this.#options = options;
    this.#current = this.#createGeneration(settings);
    void this.#publish();
  }

  /** Resolves to whether the instances in use all came up at their first try. */
  get started(): Promise<boolean> {
    return this.#current.started;
  }

  /** The settings of the instances in use. */
  get settings(): ProgramSettings {
    return this.#current.settings;
  }

  snapshot(): ProgramSnapshot {
    const { upstream } = this.#options;
    const { state } = this.#current;
    return { upstream, state, instances: this.#current.snapshot(), rolledBack: this.#rolledBack };
  }

  /**
   * Starts new instances and switches to them when all are ready. When one crashes instead, the old ones stay and
   * the answer is false; unless the old ones do not serve either. A replacement that is still coming up is given up
   * for the new one.
   */
  async replace(settings: ProgramSettings): Promise<boolean> {
    if (this.#next !== null) void this.#discard(this.#next);
    this.#tellEnvironmentChange(settings);
    const next = this.#createGeneration(settings);
    this.#next = next;
    const started = await next.started;
    if (this.#ending || this.#next !== next) return false;
    this.#next = null;
    if (!started && this.#current.listReady().length > 0) {
      this.#rolledBack = next.failure;
      this.#options.log(
        'error',
        `upstream ${this.#options.upstream}: the new instances do not start; the old ones serve on ` +
          `(${next.failure})`,
      );
      void this.#discard(next);
      return false;
    }
    const old = this.#current;
    this.#current = next;
    this.#rolledBack = '';
    await this.#publish();
    void this.#retire(old);
    return started;
  }

  /** Changes the number of instances until the next reload. */
  async scale(change: number): Promise<void> {
    const size = Math.min(mostInstances, Math.max(1, this.#current.size + change));
    const { log, upstream } = this.#options;
    log('notice', `upstream ${upstream}: ${size} instance${size === 1 ? '' : 's'} from now on`);
    await this.#current.resize(size);
  }

  /** Ends all instances, giving them so long to finish. */
  async end(timeoutMs: number): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#alive].map((generation) => generation.end(timeoutMs)));
  }

  /** Has the fronts send nothing any more, and ends all instances when they have finished. */
  async remove(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#alive].map((generation) => generation.retire()));
  }

  /** Ends all instances now. */
  kill(): void {
    this.#ending = true;
    for (const generation of this.#alive) generation.kill();
  }

  async #retire(generation: AppGeneration): Promise<void> {
    await generation.retire();
    this.#alive.delete(generation);
  }

  /** Nobody has sent it anything. */
  async #discard(generation: AppGeneration): Promise<void> {
    await generation.end(0);
    this.#alive.delete(generation);
  }

  #createGeneration(settings: ProgramSettings): AppGeneration {
    const generation: AppGeneration = new AppGeneration({
      ...this.#options,
      settings,
      onChange: async () => {
        if (generation === this.#current && !this.#ending) await this.#publish();
      },
      settle: (id, timeoutMs) => this.#settle(id, timeoutMs),
    });
    this.#alive.add(generation);
    return generation;
  }

  async #settle(id: string, timeoutMs: number): Promise<void> {
    const endMs = monotonicMs() + timeoutMs;
    while (!(await this.#options.isQuiet(id)) && monotonicMs() < endMs) await sleep(quietStepMs);
  }

  #tellEnvironmentChange({ env }: ProgramSettings): void {
    const { log, upstream } = this.#options;
    const change = describeEnvironmentChange(this.#current.settings.env, env);
    if (change !== '') log('notice', `upstream ${upstream}: environment ${change}`);
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
