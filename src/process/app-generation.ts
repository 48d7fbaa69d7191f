// All instances of an application that were started with the same settings and the same code.

import { AppSlot, type InstanceSnapshot, type SlotOptions } from './app-slot.ts';
import type { ProgramSettings } from './program-settings.ts';
import type { InstanceAddress, InstanceState } from './worker-messages.ts';

/** What its slots have in common. */
export type GenerationOptions = Omit<SlotOptions, 'number' | 'onWorn'>;

/** A generation. Calls `onChange` whenever what it can say of itself may have changed. */
export class AppGeneration {
  readonly settings: ProgramSettings;
  readonly #slots: AppSlot[];
  readonly #options: GenerationOptions;
  /** Resolves to whether every instance came to be ready; to false as soon as one has crashed, or it must end. */
  readonly started: Promise<boolean>;
  #resolveStarted: (started: boolean) => void = () => {};
  /** Those whose instance is to be replaced: one after the other. */
  readonly #worn: AppSlot[] = [];
  #isRecycling = false;
  #ending = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: GenerationOptions) {
    this.settings = options.settings;
    this.#options = options;
    this.#slots = [];
    this.started = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
    this.#addSlots(options.settings.instances);
  }

  get state(): InstanceState {
    if (this.#slots.some((slot) => slot.state === 'ready')) return 'running';
    return this.#slots.every((slot) => slot.state === 'failed') ? 'failed' : 'starting';
  }

  /** How many instances it has, or is to have. */
  get size(): number {
    return this.#slots.length;
  }

  /** Why one of its instances ended unasked; "" while none has. */
  get failure(): string {
    return this.#slots.find((slot) => slot.failure !== '')?.failure ?? '';
  }

  /** The instances that take requests. */
  listReady(): InstanceAddress[] {
    return this.#slots.map((slot) => slot.address).filter((address) => address !== null);
  }

  snapshot(): InstanceSnapshot[] {
    return this.#slots.map((slot) => slot.snapshot());
  }

  /** Starts more instances, or lets the last ones finish and end. @param size at least 1 */
  async resize(size: number): Promise<void> {
    if (this.#ending) return;
    this.#addSlots(size - this.#slots.length);
    const surplus = this.#slots.splice(size);
    await this.#options.onChange();
    await Promise.all(surplus.map((slot) => slot.retire(this.settings.drainTimeout)));
  }

  /** Ends all instances, giving them so long to finish. */
  async end(timeoutMs: number): Promise<void> {
    this.#stop();
    await Promise.all(this.#slots.map((slot) => slot.end(timeoutMs)));
  }

  /** As `end`, while another generation serves. */
  async retire(): Promise<void> {
    this.#stop();
    await Promise.all(this.#slots.map((slot) => slot.retire(this.settings.drainTimeout)));
  }

  /** Ends all instances now. */
  kill(): void {
    this.#stop();
    for (const slot of this.#slots) slot.kill();
  }

  #stop(): void {
    this.#ending = true;
    this.#resolveStarted(false);
    this.#worn.length = 0;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #addSlots(count: number): void {
    for (let i = 0; i < count; i++) {
      const slot: AppSlot = new AppSlot({
        ...this.#options,
        number: this.#slots.length + 1,
        onChange: () => this.#onChange(),
        onWorn: (worn, reason) => this.#onWorn(worn, reason),
      });
      this.#slots.push(slot);
    }
  }

  #onChange(): Promise<void> {
    if (this.#slots.some((slot) => slot.crashes > 0)) this.#resolveStarted(false);
    else if (this.#slots.every((slot) => slot.state === 'ready')) this.#resolveStarted(true);
    return this.#options.onChange();
  }

  #onWorn(slot: AppSlot, reason: string): void {
    this.#options.log('notice', `${slot.name} (pid ${slot.snapshot().pid}) is replaced ${reason}`);
    this.#worn.push(slot);
    void this.#recycle();
  }

  /** Never two at a time: the others carry on meanwhile. */
  async #recycle(): Promise<void> {
    if (this.#isRecycling) return;
    this.#isRecycling = true;
    for (let slot = this.#worn.shift(); slot !== undefined; slot = this.#worn.shift()) {
      const isReady = slot.state === 'ready';
      if (!(await slot.recycle()) && isReady) this.#recycleLater(slot);
    }
    this.#isRecycling = false;
  }

  /** A successor that does not start leaves the old instance in its place: another try may do better. */
  #recycleLater(slot: AppSlot): void {
    if (this.#ending) return;
    const { log, role } = this.#options;
    log('error', `${slot.name}: no fresh instance starts in its place; it serves on`);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#worn.push(slot);
      void this.#recycle();
    }, role.failedDelayMs);
    this.#timers.add(timer);
  }
}
