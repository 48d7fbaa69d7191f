// Notices that nothing has gone through a socket for a while, in either direction. It looks at the socket's own counts
// now and then, so that traffic costs nothing.

import { monotonicMs } from '../../base/clock.ts';
import type { Deadline, TimerWheel } from '../../base/timer-wheel.ts';

/** A socket as far as it is watched. */
export interface CountingSocket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** How often in the time limit the counts are looked at: it is exceeded by a quarter at most. */
const looksPerLimit = 4;

/** Watches one socket until it is dropped. */
export class IdleWatch {
  readonly #socket: CountingSocket;
  readonly #limitMs: number;
  readonly #onIdle: () => void;
  readonly #deadline: Deadline;
  #bytes: number;
  #movedAtMs = monotonicMs();

  /** @param limitMs longest time without a byte, more than 0; `onIdle` is called once when it is over */
  constructor(timers: TimerWheel, socket: CountingSocket, limitMs: number, onIdle: () => void) {
    this.#socket = socket;
    this.#limitMs = limitMs;
    this.#onIdle = onIdle;
    this.#bytes = socket.bytesRead + socket.bytesWritten;
    this.#deadline = timers.createDeadline(() => this.#look());
    this.#deadline.set(limitMs / looksPerLimit);
  }

  /** Watches no more. */
  drop(): void {
    this.#deadline.drop();
  }

  #look(): void {
    const bytes = this.#socket.bytesRead + this.#socket.bytesWritten;
    const nowMs = monotonicMs();
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#movedAtMs = nowMs;
    } else if (nowMs - this.#movedAtMs >= this.#limitMs) {
      this.#onIdle();
      return;
    }
    this.#deadline.set(this.#limitMs / looksPerLimit);
  }
}
