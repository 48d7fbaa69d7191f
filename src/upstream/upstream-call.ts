// One request on its way through an upstream: which peers it is tried on, when another try is safe, and what the log
// learns of each. A request that may have had an effect is never sent twice.

import { monotonicMs } from '../base/clock.ts';
import type { Deadline } from '../base/timer-wheel.ts';
import { ClientFailure } from '../message/client-failure.ts';
import type { Exchange } from '../message/exchange.ts';
import { HttpError } from '../message/http-error.ts';
import type {
  ClientListener,
  ClientRequest,
  ClientResponse,
  UpstreamConnection,
} from '../message/upstream-connection.ts';
import type { PeerSlot } from './peer-slot.ts';

/** Who is told how a call ended. Exactly one of the two is called, unless the call is aborted. */
export interface CallOwner {
  onResponse(response: ClientResponse): void;
  onFailure(error: Error): void;
}

/** Who waits for a peer. */
export interface Waiter {
  /** Looks for a peer again. */
  resume(): void;
}

/** What a call needs of its upstream. */
export interface CallHost {
  /** The next peer for a request that was tried on these, or null. */
  pick(tried: readonly PeerSlot[] | null): PeerSlot | null;
  /** Notes a failure of a peer. */
  noteFailure(slot: PeerSlot, failure: ClientFailure): void;
  /** The error for a request that found no peer at all. */
  describeAbsence(): HttpError;
  /** Has the waiter resumed when peers come, or at the deadline. Returns null when nothing is worth waiting for. */
  wait(waiter: Waiter): Deadline | null;
  /** The waiter waits no more. */
  leave(waiter: Waiter): void;
  readonly retries: { readonly tries: number; readonly timeout: number };
  /** Longest wait for a peer, in milliseconds. */
  readonly waitMs: number;
}

/** RFC 9110 9.2.2: sending one of these twice does what sending it once does. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** How long a call waits before it looks for a peer again, unless it is told earlier. */
const waitStepMs = 100;

/** What the log says of all tries together has at most so many characters; beyond that, only of the last. */
const longestDetail = 1000;

/** One request under way. */
export class UpstreamCall implements ClientListener {
  readonly #host: CallHost;
  readonly #request: ClientRequest;
  readonly #exchange: Exchange;
  readonly #owner: CallOwner;
  readonly #isIdempotent: boolean;
  readonly #startedAtMs = monotonicMs();
  #tried: PeerSlot[] | null = null;
  #tries = 0;
  #slot: PeerSlot | null = null;
  #connection: UpstreamConnection | null = null;
  #tryStartedAtMs = 0;
  #status = '';
  #sent = 0;
  #lastError: HttpError | null = null;
  #wait: Deadline | null = null;
  #waitUntilMs = 0;

  constructor(host: CallHost, request: ClientRequest, exchange: Exchange, owner: CallOwner) {
    this.#host = host;
    this.#request = request;
    this.#exchange = exchange;
    this.#owner = owner;
    this.#isIdempotent = idempotentMethods.has(request.method);
  }

  /** Begins. The owner may be called before this returns. */
  start(): void {
    const slot = this.#host.pick(this.#tried);
    if (slot !== null) this.#try(slot);
    else this.#waitOrFail();
  }

  /** Looks for a peer again: some may have come, and those that failed may be back. */
  resume(): void {
    if (this.#wait === null) return;
    this.#endWait();
    this.#tried = null;
    this.start();
  }

  /** Ends the call: nothing is sent any more, nobody is called. Also after a response whose body is still coming. */
  abort(): void {
    this.#endWait();
    const connection = this.#connection;
    this.#connection = null;
    connection?.abort();
    this.#endTry('-');
  }

  onResponse(response: ClientResponse): void {
    this.#slot?.succeed();
    this.#status = String(response.status);
    this.#owner.onResponse(response);
  }

  onEnd(): void {
    this.#connection = null;
    this.#endTry(this.#status);
  }

  onFailure(error: Error): void {
    const slot = this.#slot as PeerSlot;
    this.#connection = null;
    if (!(error instanceof ClientFailure)) {
      // The request's own body failed.
      this.#endTry('-');
      this.#owner.onFailure(error);
      return;
    }
    const { facts } = error;
    if (facts.requestWritten) this.#sent++;
    if (facts.reused && facts.cause !== 'timeout' && !facts.responseStarted) {
      // The peer closed a connection that it had kept for long enough: nothing is wrong with it.
      if (!facts.requestWritten || this.#isRepeatable()) {
        this.#sendAfresh(slot, error);
        return;
      }
    } else this.#host.noteFailure(slot, error);
    this.#endTry(String(error.status));
    const detail = joinDetails(this.#lastError, `${slot.peer.name}: ${error.detail}`);
    this.#lastError = new HttpError(error.code, detail, [], { cause: error });
    if (this.#mayTryAgain(error)) this.start();
    else this.#owner.onFailure(this.#lastError);
  }

  #try(slot: PeerSlot): void {
    this.#tries++;
    this.#slot = slot;
    this.#tryStartedAtMs = monotonicMs();
    slot.begin();
    if (this.#tried === null) this.#tried = [slot];
    else this.#tried.push(slot);
    this.#send(slot, slot.peer.takeConnection(!this.#isRepeatable(), this.#exchange));
  }

  /** Once more to the same peer, unless it has left in the meantime: an instance that was replaced. */
  #sendAfresh(slot: PeerSlot, error: ClientFailure): void {
    if (!slot.peer.closed) {
      this.#send(slot, slot.peer.openConnection(this.#exchange));
      return;
    }
    this.#endTry(String(error.status));
    this.start();
  }

  #send(slot: PeerSlot, connection: UpstreamConnection): void {
    this.#slot = slot;
    this.#connection = connection;
    this.#request.body?.rewind?.();
    connection.send(this.#request, this);
  }

  /** Whether the request could be sent once more although a part of it may have arrived: its body, too, is all there. */
  #isRepeatable(): boolean {
    const { body } = this.#request;
    return this.#isIdempotent && (body === null || body.rewind !== undefined);
  }

  #mayTryAgain({ facts }: ClientFailure): boolean {
    if (facts.responseStarted || (facts.requestWritten && !this.#isRepeatable())) return false;
    const { tries, timeout } = this.#host.retries;
    if (tries > 0 && this.#tries >= tries) return false;
    return timeout === 0 || monotonicMs() - this.#startedAtMs < timeout;
  }

  #waitOrFail(): void {
    const now = monotonicMs();
    if (this.#waitUntilMs === 0) this.#waitUntilMs = now + this.#host.waitMs;
    // A request on which peers die, or take too long, is not spared for the next one.
    const isWorthIt = this.#sent < 2 && this.#lastError?.status !== 504 && now < this.#waitUntilMs;
    const wait = isWorthIt ? this.#host.wait(this) : null;
    if (wait === null) this.#owner.onFailure(this.#lastError ?? this.#host.describeAbsence());
    else {
      this.#wait = wait;
      wait.set(waitStepMs);
    }
  }

  #endWait(): void {
    if (this.#wait === null) return;
    this.#wait.drop();
    this.#wait = null;
    this.#host.leave(this);
  }

  /** Gives the peer back and notes the try for the log, as nginx does: one item per peer. */
  #endTry(status: string): void {
    const slot = this.#slot;
    if (slot === null) return;
    this.#slot = null;
    slot.end();
    const exchange = this.#exchange;
    const seconds = ((monotonicMs() - this.#tryStartedAtMs) / 1000).toFixed(3);
    exchange.upstreamAddress = append(exchange.upstreamAddress, slot.peer.name);
    exchange.upstreamStatus = append(exchange.upstreamStatus, status);
    exchange.upstreamTime = append(exchange.upstreamTime, seconds);
  }
}

/** Each peer that was tried with its reason, as long as that can be read. */
function joinDetails(before: HttpError | null, detail: string): string {
  if (before === null || before.detail.length + detail.length > longestDetail) return detail;
  return before.detail.includes(detail) ? before.detail : `${before.detail}; ${detail}`;
}

function append(list: string, item: string): string {
  return list === '' ? item : `${list}, ${item}`;
}
