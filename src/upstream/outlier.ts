// Whether one peer is an outlier: it can be reached, but what it answers are errors. Such a peer is ejected for a time
// that grows with each ejection, as Envoy has it. How many may be out at once is the upstream's to say.

import type { OutlierSettings } from './outlier-shape.ts';

/** The outlier state of one peer. All times are monotonic milliseconds. */
export class Outlier {
  readonly #settings: OutlierSettings;
  #errors = 0;
  /** Ejections that are not forgotten yet. */
  #ejections = 0;
  #outUntilMs = Number.NEGATIVE_INFINITY;

  constructor(settings: OutlierSettings) {
    this.#settings = settings;
  }

  /** Whether the peer is ejected. */
  isEjected(nowMs: number): boolean {
    return nowMs < this.#outUntilMs;
  }

  /** When the peer came back; -Infinity if it was never ejected. */
  get backSinceMs(): number {
    return this.#outUntilMs;
  }

  /** Notes an answer, or a failure. Returns whether the peer should be ejected. */
  note(isError: boolean): boolean {
    if (!isError) {
      this.#errors = 0;
      return false;
    }
    this.#errors++;
    return this.#errors >= this.#settings.errors;
  }

  /** Takes the peer out. Returns for how long, in milliseconds. */
  eject(nowMs: number): number {
    const { ejection, maxEjection, interval } = this.#settings;
    const sweeps = Math.floor((nowMs - this.#outUntilMs) / interval);
    this.#ejections = Math.max(0, this.#ejections - sweeps) + 1;
    this.#errors = 0;
    const outMs = Math.min(maxEjection, ejection * this.#ejections);
    this.#outUntilMs = nowMs + outMs;
    return outMs;
  }

  /** Nothing is held. */
  close(): void {}
}
