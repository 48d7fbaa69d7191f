// How long a connection waits for its client's end after it has said its own: closing earlier could destroy a reply
// that the client has not read yet.

import { monotonicMs } from '../base/clock.ts';
import type { Deadline } from '../base/timer-wheel.ts';

/** As nginx's lingering_timeout and lingering_time. */
const pauseMs = 5_000;
const totalMs = 30_000;

/** The wait of one connection. */
export class Linger {
  readonly #deadline: Deadline;
  readonly #untilMs = monotonicMs() + totalMs;

  /** Begins to wait. */
  constructor(deadline: Deadline) {
    this.#deadline = deadline;
    deadline.set(pauseMs);
  }

  /** The client has sent something: it is alive, and may be for a while. */
  extend(): void {
    this.#deadline.set(Math.min(pauseMs, Math.max(0, this.#untilMs - monotonicMs())));
  }
}
