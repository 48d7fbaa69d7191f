// Passive health of one peer, as nginx's max_fails and fail_timeout: so many failures within a time take it out for
// the same time (the circuit opens); then one request probes it (half open), and a success lets it in again.

/** What requests have shown of a peer: fit for all, for none, or for one that probes it. */
export type Circuit = 'closed' | 'open' | 'half-open';

/** Counts what happens to requests. All times are monotonic milliseconds. */
export class PeerHealth {
  readonly #maxFails: number;
  readonly #failTimeoutMs: number;
  #fails = 0;
  #windowStartMs = 0;
  #outUntilMs = 0;
  #probing = false;
  /** When the peer came back; -Infinity if it was never out. */
  backSinceMs = Number.NEGATIVE_INFINITY;

  /** A `maxFails` of 0 keeps the peer in whatever happens. */
  constructor(maxFails: number, failTimeoutMs: number) {
    this.#maxFails = maxFails;
    this.#failTimeoutMs = failTimeoutMs;
  }

  /** Whether failures have taken the peer out (a probe may be due). */
  get failed(): boolean {
    return this.#maxFails > 0 && this.#fails >= this.#maxFails;
  }

  /** Whether a request may go to the peer. */
  isAvailable(nowMs: number): boolean {
    return !this.failed || nowMs >= this.#outUntilMs;
  }

  /** The state of the circuit, for whoever shows it. */
  getCircuit(nowMs: number): Circuit {
    if (!this.failed) return 'closed';
    return this.#probing || nowMs >= this.#outUntilMs ? 'half-open' : 'open';
  }

  /** A request goes to the peer. If it is the probe, others are kept away for another period. Returns whether it is. */
  onPick(nowMs: number): boolean {
    if (!this.failed) return false;
    this.#probing = true;
    this.#outUntilMs = nowMs + this.#failTimeoutMs;
    return true;
  }

  /**
   * A response came. Only a probe's success says that a failed peer is back: others may be older than the failure.
   * Returns whether it is back now.
   */
  onSuccess(nowMs: number): boolean {
    if (!this.#probing) return false;
    this.restore(nowMs);
    return true;
  }

  /** The peer is well, whatever happened: failures are forgotten. */
  restore(nowMs: number): void {
    this.#probing = false;
    this.#fails = 0;
    this.backSinceMs = nowMs;
  }

  /** Returns whether this failure took the peer out. */
  onFailure(nowMs: number): boolean {
    if (nowMs - this.#windowStartMs > this.#failTimeoutMs && !this.failed) this.#fails = 0;
    if (this.#fails === 0) this.#windowStartMs = nowMs;
    const wasFailed = this.failed;
    this.#fails++;
    this.#probing = false;
    if (this.failed) this.#outUntilMs = nowMs + this.#failTimeoutMs;
    return this.failed && !wasFailed;
  }
}
