// One timer for all deadlines of a process: thousands of connections share a single setInterval.
// A deadline is precise to one tick; moving it later costs one assignment, which is what a busy connection does.

import { monotonicMs } from './clock.ts';

/** A deadline that its owner may move at will. Create one per connection, not per request. */
export interface Deadline {
  /** Calls back `delayMs` from now, unless moved or cleared before. Replaces any earlier setting. */
  set(delayMs: number): void;
  /** Forgets the deadline. Cheap: the wheel keeps it, and its owner with it, for up to a turn. */
  clear(): void;
  /** As `clear`, for an owner that has come to its end: the wheel holds it no longer. */
  drop(): void;
}

const idleSlot = -1;

class WheelDeadline implements Deadline {
  readonly #wheel: TimerWheel;
  readonly onExpire: () => void;
  /** Monotonic ms at which to call back; Infinity while cleared. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  slot = idleSlot;
  previous: WheelDeadline | null = null;
  next: WheelDeadline | null = null;

  constructor(wheel: TimerWheel, onExpire: () => void) {
    this.#wheel = wheel;
    this.onExpire = onExpire;
  }

  set(delayMs: number): void {
    const expiresAtMs = monotonicMs() + delayMs;
    // Later than planned: the slot it sits in looks again when it comes round. Earlier: it must move now.
    const mustMove = this.slot === idleSlot || expiresAtMs < this.expiresAtMs;
    this.expiresAtMs = expiresAtMs;
    if (mustMove) this.#wheel.place(this);
  }

  clear(): void {
    // Left in its slot on purpose: a keep-alive connection clears and sets once per request.
    this.expiresAtMs = Number.POSITIVE_INFINITY;
  }

  drop(): void {
    this.expiresAtMs = Number.POSITIVE_INFINITY;
    this.#wheel.remove(this);
  }
}

/** A hashed timer wheel (Varghese and Lauck, scheme 6) with lazy moves. */
export class TimerWheel {
  readonly #tickMs: number;
  readonly #slots: (WheelDeadline | null)[];
  readonly #interval: NodeJS.Timeout;
  #cursor = 0;
  #cursorAtMs = monotonicMs();

  /** @param tickMs precision of every deadline, in milliseconds
   *  @param slotCount ticks in one turn; a deadline further off than a turn goes round again */
  constructor(tickMs = 100, slotCount = 512) {
    this.#tickMs = tickMs;
    this.#slots = new Array<WheelDeadline | null>(slotCount).fill(null);
    this.#interval = setInterval(() => this.#advance(), tickMs);
    this.#interval.unref();
  }

  /** Makes a deadline, not yet set. `onExpire` runs at most once per `set`. */
  createDeadline(onExpire: () => void): Deadline {
    return new WheelDeadline(this, onExpire);
  }

  /** Stops the wheel: no deadline calls back any more. */
  close(): void {
    clearInterval(this.#interval);
  }

  /** Puts a deadline into the slot of its expiry. Called by deadlines only. */
  place(deadline: WheelDeadline): void {
    this.remove(deadline);
    const ticks = Math.ceil((deadline.expiresAtMs - this.#cursorAtMs) / this.#tickMs);
    const ahead = Math.min(Math.max(ticks, 1), this.#slots.length - 1);
    const slot = (this.#cursor + ahead) % this.#slots.length;
    deadline.slot = slot;
    deadline.next = this.#slots[slot];
    if (deadline.next !== null) deadline.next.previous = deadline;
    this.#slots[slot] = deadline;
  }

  /** Takes a deadline out of its slot. Called by deadlines only. */
  remove(deadline: WheelDeadline): void {
    if (deadline.slot === idleSlot) return;
    if (deadline.previous !== null) deadline.previous.next = deadline.next;
    else this.#slots[deadline.slot] = deadline.next;
    if (deadline.next !== null) deadline.next.previous = deadline.previous;
    deadline.previous = null;
    deadline.next = null;
    deadline.slot = idleSlot;
  }

  #advance(): void {
    const nowMs = monotonicMs();
    // A blocked event loop makes up for the ticks it missed, one turn at the most.
    let steps = Math.min(Math.floor((nowMs - this.#cursorAtMs) / this.#tickMs), this.#slots.length);
    this.#cursorAtMs += Math.floor((nowMs - this.#cursorAtMs) / this.#tickMs) * this.#tickMs;
    while (steps-- > 0) {
      this.#cursor = (this.#cursor + 1) % this.#slots.length;
      this.#expireSlot(this.#cursor, nowMs);
    }
  }

  #expireSlot(slot: number, nowMs: number): void {
    // One by one from the front: a callback may move or drop any of the others.
    for (let deadline = this.#slots[slot]; deadline !== null; deadline = this.#slots[slot]) {
      this.remove(deadline);
      if (deadline.expiresAtMs === Number.POSITIVE_INFINITY) continue;
      if (deadline.expiresAtMs > nowMs) this.place(deadline);
      else {
        deadline.expiresAtMs = Number.POSITIVE_INFINITY;
        deadline.onExpire();
      }
    }
  }
}
