// The promises that an application gave to waitUntil: counted, so that an ending instance can wait for them.

import { reportFailure } from './report.ts';

/** Work behind answers that are already out. */
export class BackgroundWork {
  #running = 0;
  #onIdle: (() => void)[] = [];

  /** Waits for a promise. A rejection is reported under the request's id. */
  add(work: unknown, requestId: string): void {
    this.#running++;
    Promise.resolve(work)
      .catch((error: unknown) => reportFailure(`request ${requestId}: work given to waitUntil failed`, error))
      .finally(() => this.#finish());
  }

  /** Resolves when nothing runs. */
  async settle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #finish(): void {
    if (--this.#running > 0) return;
    const callbacks = this.#onIdle;
    this.#onIdle = [];
    for (const callback of callbacks) callback();
  }
}
