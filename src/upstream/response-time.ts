// How long one peer takes until its response begins: a mean in which recent ones count most. A mean that no request
// renews fades, so that a peer that was slow is tried again.

/** After so long an old time counts for a third of what a new one does. */
const memoryMs = 10_000;

/** The weight of a new time among requests that follow each other at once. */
const leastNewShare = 0.1;

/** The mean time of one peer, in milliseconds. */
export class ResponseTime {
  #meanMs = 0;
  #notedAtMs = Number.NEGATIVE_INFINITY;

  /** Adds a time. */
  add(timeMs: number, nowMs: number): void {
    const elapsed = Math.exp((this.#notedAtMs - nowMs) / memoryMs);
    const oldShare = Math.min(1 - leastNewShare, elapsed);
    this.#meanMs = this.#meanMs * oldShare + timeMs * (1 - oldShare);
    this.#notedAtMs = nowMs;
  }

  /** The mean as it counts now: 0 when nothing is known. */
  getMean(nowMs: number): number {
    return this.#meanMs * Math.exp((this.#notedAtMs - nowMs) / memoryMs);
  }
}
