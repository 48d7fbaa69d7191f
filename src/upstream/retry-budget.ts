// How many requests may be tried again: a share of all requests of the last seconds. Without such a limit, peers that
// are too busy to answer in time get each request several times.

import { monotonicMs } from '../base/clock.ts';

/** Half of the time that is looked at. */
const periodMs = 5_000;

/** So many are always allowed within two periods: where there are few requests, a share of them says nothing. */
const leastRetries = 100;

/** Counts requests and retries of the last five to ten seconds. */
export class RetryBudget {
  readonly #share: number;
  #periodStartMs = monotonicMs();
  #requests = 0;
  #retries = 0;
  #requestsBefore = 0;
  #retriesBefore = 0;

  /** @param percent retries per hundred requests; 0 for any number */
  constructor(percent: number) {
    this.#share = percent === 0 ? Number.POSITIVE_INFINITY : percent / 100;
  }

  /** A request came. */
  addRequest(nowMs: number): void {
    this.#turn(nowMs);
    this.#requests++;
  }

  /** Whether one more may be tried again; if so, it is counted. */
  takeRetry(nowMs: number): boolean {
    this.#turn(nowMs);
    const allowed = Math.max(leastRetries, this.#share * (this.#requests + this.#requestsBefore));
    if (this.#retries + this.#retriesBefore >= allowed) return false;
    this.#retries++;
    return true;
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#periodStartMs;
    if (elapsedMs < periodMs) return;
    const isNext = elapsedMs < 2 * periodMs;
    this.#requestsBefore = isNext ? this.#requests : 0;
    this.#retriesBefore = isNext ? this.#retries : 0;
    this.#requests = 0;
    this.#retries = 0;
    this.#periodStartMs = nowMs;
  }
}
