// How long a connection waits for its client's end after it has said its own: closing earlier could destroy a reply
// that the client has not read yet.

import type { Socket } from 'node:net';
import { monotonicMs } from '../base/clock.ts';
import type { Deadline } from '../base/timer-wheel.ts';

/** As nginx's lingering_timeout and lingering_time. */
const pauseMs = 5_000;
const totalMs = 30_000;

/**
 * Bytes that a client surely has soon after they are written. Who has been sent more is waited for in any case: a stray
 * byte from it, an empty line behind its request, makes the system reset a closed connection, and could cost the rest.
 */
export const maxQuietBytes = 16 * 1024;

/** The end of one connection. */
export class Linger {
  readonly #deadline: Deadline;
  #untilMs = 0;

  /**
   * Ends our side and begins to wait, until `deadline` at most. What the client has not taken of the reply is in our
   * memory only and would be lost with the connection: it may stay there for `sendTimeoutMs` first.
   */
  constructor(socket: Socket, deadline: Deadline, sendTimeoutMs: number) {
    this.#deadline = deadline;
    if (socket.writableLength === 0) this.#begin();
    else {
      deadline.set(sendTimeoutMs);
      socket.once('finish', () => this.#begin());
    }
    socket.end();
  }

  /** The client has sent something: it is alive, and may be for a while. */
  extend(): void {
    if (this.#untilMs === 0) return;
    this.#deadline.set(Math.min(pauseMs, Math.max(0, this.#untilMs - monotonicMs())));
  }

  #begin(): void {
    this.#untilMs = monotonicMs() + totalMs;
    this.#deadline.set(pauseMs);
  }
}
