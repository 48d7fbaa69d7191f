// How many requests may be on a further try at a time: a share of all that are under way. Without such a limit, peers
// that are too busy to answer in time get each request several times.

/** So many always may: of few requests, a share says nothing. */
const leastRetries = 3;

/** Counts the requests of one upstream that are under way. */
export class RetryBudget {
  readonly #share: number;
  #active = 0;
  #retrying = 0;

  /** @param percent requests on a further try per hundred under way; 0 for any number */
  constructor(percent: number) {
    this.#share = percent === 0 ? Number.POSITIVE_INFINITY : percent / 100;
  }

  /** A request begins. */
  begin(): void {
    this.#active++;
  }

  /** A request is over. */
  end(isRetrying: boolean): void {
    this.#active--;
    if (isRetrying) this.#retrying--;
  }

  /** Whether one more request may be tried again; if so, it is counted until its end. */
  take(): boolean {
    if (this.#retrying >= Math.max(leastRetries, this.#share * this.#active)) return false;
    this.#retrying++;
    return true;
  }
}
