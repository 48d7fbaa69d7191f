// Watches for the beats of an instance. A master that was stopped itself (a frozen container, a debugger) has missed
// beats that came: so time counts only as far as this process has been running to hear them.

import { monotonicMs } from '../base/clock.ts';

/** Looks this often within the time that an instance may be silent. */
const looksPerTimeout = 20;
const shortestLookMs = 25;
const longestLookMs = 1_000;

/** How often an instance should send a beat that may be silent for so long, in milliseconds; 0 for never. */
export function chooseBeatMs(hangTimeoutMs: number): number {
  if (hangTimeoutMs === 0) return 0;
  return Math.min(longestLookMs, Math.max(shortestLookMs, hangTimeoutMs / looksPerTimeout));
}

/** The watch over one instance. */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout;
  #silentMs = 0;
  #lookedAtMs = monotonicMs();

  /** Calls `onSilence` once, with how long nothing was heard. */
  constructor(hangTimeoutMs: number, onSilence: (silentMs: number) => void) {
    const lookMs = chooseBeatMs(hangTimeoutMs);
    this.#timer = setInterval(() => {
      const nowMs = monotonicMs();
      this.#silentMs += Math.min(nowMs - this.#lookedAtMs, 2 * lookMs);
      this.#lookedAtMs = nowMs;
      if (this.#silentMs < hangTimeoutMs) return;
      this.stop();
      onSilence(this.#silentMs);
    }, lookMs);
  }

  /** A beat came. */
  note(): void {
    this.#silentMs = 0;
  }

  /** Watches no longer. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
