// Passive health of one peer, as nginx's max_fails and fail_timeout: so many failures within a time take it out for
// the same time; then one request probes it, and a success lets it in again.

/** Counts what happens to requests. All times are monotonic milliseconds. */
export class PeerHealth {
  readonly #maxFails: number;
  readonly #failTimeoutMs: number;
  #fails = 0;
  #windowStartMs = 0;
  #outUntilMs = 0;
  #probing = false;

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

  /** A request goes to the peer. If it is the probe, others are kept away for another period. */
  onPick(nowMs: number): void {
    if (!this.failed) return;
    this.#probing = true;
    this.#outUntilMs = nowMs + this.#failTimeoutMs;
  }

  /** A response came. Only a probe's success says that a failed peer is back: others may be older than the failure. */
  onSuccess(): void {
    if (!this.#probing) return;
    this.#probing = false;
    this.#fails = 0;
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
