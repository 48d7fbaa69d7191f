// What a request on its way asks of its upstream.

import type { Deadline } from '../base/timer-wheel.ts';
import type { ClientFailure } from '../message/client-failure.ts';
import type { Exchange } from '../message/exchange.ts';
import type { HttpError } from '../message/http-error.ts';
import type { ClientResponse } from '../message/upstream-connection.ts';
import type { PeerSlot } from './peer-slot.ts';
import type { RetryRules } from './retry-rules.ts';
import type { UpstreamCounters } from './upstream-counters.ts';

/** Who waits for a peer. */
export interface Waiter {
  /** Looks for a peer again. */
  resume(): void;
}

/** What a call needs of its upstream. */
export interface CallHost {
  /** The next peer for a request that was tried on these, or null. Unless it `mayProbe`, rather one that is well. */
  pick(tried: readonly PeerSlot[] | null, exchange: Exchange, mayProbe: boolean): PeerSlot | null;
  /** Notes that a peer has begun to answer a request that was given to it at that time. */
  noteAnswer(slot: PeerSlot, status: number, startedAtMs: number): void;
  /** Completes an answer that goes to the client. */
  finishAnswer(slot: PeerSlot, response: ClientResponse, exchange: Exchange): void;
  /** Notes a failure of a peer. */
  noteFailure(slot: PeerSlot, failure: ClientFailure): void;
  /** The error for a request that found no peer at all. */
  describeAbsence(): HttpError;
  /** Has the waiter resumed when peers come, or at the deadline. Returns null when nothing is worth waiting for. */
  wait(waiter: Waiter): Deadline | null;
  /** The waiter waits no more. */
  leave(waiter: Waiter): void;
  /** A request begins. */
  beginRequest(): void;
  /** A request is over. */
  endRequest(isRetrying: boolean): void;
  /** Whether one more request that a peer had may be tried again, until its end. */
  takeRetry(): boolean;
  /** Makes a deadline, not yet set. */
  createDeadline(onExpire: () => void): Deadline;
  readonly retries: RetryRules;
  readonly counters: UpstreamCounters;
  /** Peers that there are now. */
  readonly peerCount: number;
  /** Longest wait for a peer, in milliseconds. */
  readonly waitMs: number;
  /** Longest time for a request as a whole, in milliseconds; 0 for no limit. */
  readonly requestTimeoutMs: number;
}
