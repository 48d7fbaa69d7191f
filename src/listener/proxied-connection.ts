// A connection that has to begin with a head of the PROXY protocol: waits for the head, then hands the connection, and
// what came behind the head, to whoever its owner names. Who may send a head is the owner's to know.

import type { Socket } from 'node:net';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import type { Receiver } from '../http1/accept-connections.ts';
import type { OpenConnection } from '../http1/http1-settings.ts';
import type { ConnectionFacts } from '../message/exchange.ts';
import { type ProxiedEnds, parseProxyHead } from './parse-proxy-head.ts';

/** Who a connection tells what became of its head. */
export interface ProxiedConnectionOwner {
  /** The head is there: gives who goes on with the connection, or null when it has been turned away. */
  onHead(connection: ProxiedConnection, ends: ProxiedEnds | null): Receiver | null;
  /** What came is no head, or did not come in time; the connection is about to be closed. */
  onHeadFailure(connection: ProxiedConnection, reason: string): void;
  /** The socket is closed for good, and there was no head. */
  onClose(connection: ProxiedConnection): void;
}

/** How long a connection may still bring its head after a drain began, in ms. */
const drainQuietMs = 1_000;

function ignoreError(): void {}

/** One connection of a proxy. */
export class ProxiedConnection implements OpenConnection, Receiver {
  readonly socket: Socket;
  /** As the socket has them: the proxy's. */
  readonly facts: ConnectionFacts;
  readonly exchange = null;
  readonly #owner: ProxiedConnectionOwner;
  readonly #deadline: Deadline;
  readonly #timeoutMs: number;
  #waiting = true;
  #draining = false;
  /** What has come of the head, while it is in parts. */
  #input: Buffer | null = null;
  #next: Receiver | null = null;

  /** @param timeoutMs for the whole head, from now */
  constructor(
    socket: Socket,
    facts: ConnectionFacts,
    timeoutMs: number,
    timers: TimerWheel,
    owner: ProxiedConnectionOwner,
  ) {
    this.socket = socket;
    this.facts = facts;
    this.#owner = owner;
    this.#timeoutMs = timeoutMs;
    this.#deadline = timers.createDeadline(() => this.#onTimeout());
    this.#deadline.set(timeoutMs);
    socket.on('error', ignoreError).on('end', this.#onEnd).on('close', this.#onClose);
  }

  get idle(): boolean {
    return this.#waiting;
  }

  drain(): void {
    this.#draining = true;
    if (this.#waiting) this.#deadline.set(Math.min(drainQuietMs, this.#timeoutMs));
  }

  destroy(): void {
    this.socket.destroy();
  }

  receive(buffer: Buffer, size: number): boolean {
    if (this.#next !== null) return this.#next.receive(buffer, size);
    // Turned away: what still comes is thrown away.
    if (!this.#waiting) return true;
    const read = buffer.subarray(0, size);
    const bytes = this.#input === null ? read : Buffer.concat([this.#input, read]);
    const head = parseProxyHead(bytes);
    if (head === 'invalid') {
      this.#fail('what came is no head of the PROXY protocol');
      return true;
    }
    if (head === 'incomplete') {
      this.#input = this.#input === null ? Buffer.from(read) : bytes;
      return true;
    }
    return this.#handOver(head.ends, bytes.subarray(head.size));
  }

  #handOver(ends: ProxiedEnds | null, rest: Buffer): boolean {
    this.#waiting = false;
    this.#input = null;
    this.#deadline.drop();
    this.socket.off('error', ignoreError).off('end', this.#onEnd).off('close', this.#onClose);
    this.#next = this.#owner.onHead(this, ends);
    return this.#next === null || rest.length === 0 || this.#next.receive(rest, rest.length);
  }

  #fail(reason: string): void {
    this.#waiting = false;
    this.#owner.onHeadFailure(this, reason);
    this.destroy();
  }

  #onTimeout(): void {
    if (this.#draining) this.destroy();
    else this.#fail('the head of the PROXY protocol did not come within the header timeout');
  }

  /** No line for who came and went without a word: so look the connections of a check. */
  readonly #onEnd = (): void => {
    if (this.#input === null) this.destroy();
    else this.#fail('the connection ended within the head of the PROXY protocol');
  };

  readonly #onClose = (): void => {
    this.#waiting = false;
    this.#input = null;
    this.#deadline.drop();
    this.#owner.onClose(this);
  };
}
