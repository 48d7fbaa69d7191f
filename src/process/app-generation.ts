// All instances of an application that were started with the same settings and the same code.

import type { AppSettings } from './app-instance.ts';
import { AppSlot, type SlotOptions } from './app-slot.ts';
import type { InstanceAddress, InstanceState } from './worker-messages.ts';

/** What its slots have in common. */
export type GenerationOptions = Omit<SlotOptions, 'number'>;

/** A generation. Calls `onChange` whenever what it can say of itself may have changed. */
export class AppGeneration {
  readonly settings: AppSettings;
  readonly #slots: AppSlot[];
  readonly #options: GenerationOptions;
  /** Resolves to whether every instance came to be ready; to false as soon as one has crashed, or it must end. */
  readonly started: Promise<boolean>;
  #resolveStarted: (started: boolean) => void = () => {};

  constructor(options: GenerationOptions) {
    this.settings = options.settings;
    this.#options = options;
    this.#slots = [];
    this.started = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
    for (let number = 1; number <= options.settings.instances; number++) {
      this.#slots.push(new AppSlot({ ...options, number, onChange: () => this.#onChange() }));
    }
  }

  get state(): InstanceState {
    if (this.#slots.some((slot) => slot.state === 'ready')) return 'running';
    return this.#slots.every((slot) => slot.state === 'failed') ? 'failed' : 'starting';
  }

  /** The instances that take requests. */
  listReady(): InstanceAddress[] {
    return this.#slots.map((slot) => slot.address).filter((address) => address !== null);
  }

  /** Ends all instances, giving them so long to finish. */
  async end(timeoutMs: number): Promise<void> {
    this.#resolveStarted(false);
    await Promise.all(this.#slots.map((slot) => slot.end(timeoutMs)));
  }

  /** Ends all instances now. */
  kill(): void {
    this.#resolveStarted(false);
    for (const slot of this.#slots) slot.kill();
  }

  #onChange(): void {
    if (this.#slots.some((slot) => slot.crashes > 0)) this.#resolveStarted(false);
    else if (this.#slots.every((slot) => slot.state === 'ready')) this.#resolveStarted(true);
    this.#options.onChange();
  }
}
