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
import type { CallHost } from './call-host.ts';
import type { PeerSlot } from './peer-slot.ts';
import { isFailureStatus } from './retry-rules.ts';

/** Who is told how a call ended. Exactly one of the two is called, unless the call is aborted. */
export interface CallOwner {
  onResponse(response: ClientResponse): void;
  onFailure(error: Error): void;
}

/** What the log says of all tries together has at most so many characters; beyond that, only of the last. */
const longestDetail = 1000;

/** How long a call waits before it looks for a peer again, unless it is told earlier. */
const waitStepMs = 100;

/** A request that this many peers could not survive is spared for the others, unless there are more of them. */
const leastDeaths = 2;

/** One request under way. */
export class UpstreamCall implements ClientListener {
  readonly #host: CallHost;
  readonly #request: ClientRequest;
  readonly #exchange: Exchange;
  readonly #owner: CallOwner;
  /** Whether the request could be sent once more although a peer may have acted on it: its body, too, is all there. */
  readonly #isRepeatable: boolean;
  readonly #startedAtMs = monotonicMs();
  #tried: PeerSlot[] | null = null;
  /** Those that had the request and gave no answer. */
  #failed: PeerSlot[] | null = null;
  #tries = 0;
  #slot: PeerSlot | null = null;
  #connection: UpstreamConnection | null = null;
  #tryStartedAtMs = 0;
  #wasResent = false;
  #status = '';
  /** The peer that the request goes on to when the connection is through with an answer that nobody gets. */
  #next: PeerSlot | null = null;
  /** Tries in which a part of the request may have arrived. */
  #sent = 0;
  #lastError: HttpError | null = null;
  #wait: Deadline | null = null;
  #waitUntilMs = 0;
  #limit: Deadline | null = null;
  #isRetrying = false;
  #isOver = false;

  constructor(host: CallHost, request: ClientRequest, exchange: Exchange, owner: CallOwner) {
    this.#host = host;
    this.#request = request;
    this.#exchange = exchange;
    this.#owner = owner;
    const { body, method } = request;
    this.#isRepeatable = (body === null || body.rewind !== undefined) && host.retries.isRepeatable(method);
  }

  /** Begins. The owner may be called before this returns. */
  start(): void {
    const { requestTimeoutMs } = this.#host;
    this.#host.beginRequest();
    if (requestTimeoutMs > 0) {
      this.#limit = this.#host.createDeadline(() => this.#expire());
      this.#limit.set(requestTimeoutMs);
    }
    this.#goOn();
  }

  /** Looks for a peer again: some may have come, and those that failed may be back. */
  resume(): void {
    if (this.#wait === null) return;
    this.#endWait();
    // Who had the request and failed has it again only when there is nobody else to wait for.
    const areOthers = this.#failed !== null && this.#failed.length < this.#host.peerCount;
    this.#tried = areOthers ? [...(this.#failed ?? [])] : null;
    this.#goOn();
  }

  /** Ends the call: nothing is sent any more, nobody is called. Also after a response whose body is still coming. */
  abort(): void {
    this.#stop('-', 'aborted');
  }

  onResponse(response: ClientResponse): void {
    const slot = this.#slot as PeerSlot;
    const { status, body } = response;
    this.#host.noteAnswer(slot, status, this.#tryStartedAtMs);
    this.#status = String(status);
    if (this.#host.retries.coversStatus(status) && this.#passOn(slot, status)) {
      if (body?.kind === 'stream') body.source.cancel();
      return;
    }
    slot.succeed();
    this.#host.finishAnswer(slot, response, this.#exchange);
    this.#owner.onResponse(response);
  }

  onEnd(): void {
    this.#connection = null;
    const next = this.#next;
    if (next === null) {
      this.#endTry(this.#status, 'answered');
      this.#finish();
      return;
    }
    this.#next = null;
    this.#endTry(this.#status, 'passed_on');
    this.#try(next);
  }

  onFailure(error: Error): void {
    const slot = this.#slot as PeerSlot;
    this.#connection = null;
    if (!(error instanceof ClientFailure)) {
      // The request's own body failed.
      this.#endTry('-', 'aborted');
      this.#fail(error);
      return;
    }
    const { facts } = error;
    if (facts.requestWritten) this.#noteSent(slot);
    if (facts.reused && facts.cause !== 'timeout' && !facts.responseStarted) {
      // The peer closed a connection that it had kept for long enough: nothing is wrong with it.
      if (!facts.requestWritten || this.#isRepeatable) {
        this.#sendAfresh(slot, error);
        return;
      }
    } else this.#host.noteFailure(slot, error);
    this.#endTry(String(error.status), nameFailure(error));
    const detail = joinDetails(this.#lastError, `${slot.peer.name}: ${error.detail}`);
    this.#lastError = new HttpError(error.code, detail, [], { cause: error });
    if (!this.#mayTryAgain(error)) this.#fail(this.#lastError);
    else {
      slot.peer.counters.passedOn++;
      this.#goOn();
    }
  }

  /** A peer may have acted on the request, or died of it. */
  #noteSent(slot: PeerSlot): void {
    if (this.#failed?.at(-1) === slot) return;
    this.#sent++;
    this.#failed = this.#failed === null ? [slot] : [...this.#failed, slot];
  }

  #goOn(): void {
    const slot = this.#host.pick(this.#tried, this.#exchange, this.#isRepeatable);
    if (slot === null) this.#waitOrFail();
    else if (this.#lastError !== null && this.#sent > 0 && !this.#takeRetry()) this.#fail(this.#lastError);
    else this.#try(slot);
  }

  #try(slot: PeerSlot): void {
    if (this.#tries++ > 0) this.#host.counters.retries++;
    this.#wasResent = false;
    this.#tryStartedAtMs = monotonicMs();
    slot.begin();
    if (this.#tried === null) this.#tried = [slot];
    else this.#tried.push(slot);
    const isPlain = this.#isRepeatable && this.#request.body === null;
    this.#send(slot, slot.peer.takeConnection(!isPlain, this.#exchange));
  }

  /** Once more to the same peer, unless it has left in the meantime: an instance that was replaced. */
  #sendAfresh(slot: PeerSlot, error: ClientFailure): void {
    if (!slot.peer.closed) {
      slot.peer.counters.resends++;
      this.#wasResent = true;
      this.#send(slot, slot.peer.openConnection(this.#exchange));
      return;
    }
    this.#endTry(String(error.status), nameFailure(error));
    this.#goOn();
  }

  #send(slot: PeerSlot, connection: UpstreamConnection): void {
    this.#slot = slot;
    this.#connection = connection;
    this.#request.body?.rewind?.();
    connection.send(this.#request, this);
  }

  /** Leaves an answer that is not for the client if another peer may give a better one. Returns whether one is asked. */
  #passOn(slot: PeerSlot, status: number): boolean {
    if (!this.#isRepeatable || !this.#hasTriesLeft()) return false;
    const next = this.#host.pick(this.#tried, this.#exchange, this.#isRepeatable);
    if (next === null || !this.#takeRetry()) return false;
    if (isFailureStatus(status)) slot.fail();
    else slot.succeed();
    slot.peer.counters.passedOn++;
    this.#sent++;
    this.#next = next;
    return true;
  }

  /** Nothing that may have had an effect is sent twice. Of a head that had begun, nobody has seen anything yet. */
  #mayTryAgain(error: ClientFailure): boolean {
    if (error.facts.requestWritten && !this.#isRepeatable) return false;
    return this.#host.retries.coversFailure(error) && this.#hasTriesLeft();
  }

  #hasTriesLeft(): boolean {
    const { tries, timeout } = this.#host.retries;
    if (tries > 0 && this.#tries >= tries) return false;
    return timeout === 0 || monotonicMs() - this.#startedAtMs < timeout;
  }

  #waitOrFail(): void {
    const now = monotonicMs();
    const isFirst = this.#waitUntilMs === 0;
    if (isFirst) this.#waitUntilMs = now + this.#host.waitMs;
    // A request on which peers die, or take too long, is not spared for the next one.
    const mostDeaths = Math.max(leastDeaths, this.#host.peerCount);
    const isWorthIt = this.#sent < mostDeaths && this.#lastError?.status !== 504 && now < this.#waitUntilMs;
    const wait = isWorthIt ? this.#host.wait(this) : null;
    if (wait === null) {
      this.#host.counters.turnedAway++;
      this.#fail(this.#lastError ?? this.#host.describeAbsence());
      return;
    }
    if (isFirst) this.#host.counters.waits++;
    this.#wait = wait;
    wait.set(waitStepMs);
  }

  #endWait(): void {
    if (this.#wait === null) return;
    this.#wait.drop();
    this.#wait = null;
    this.#host.leave(this);
  }

  /** The request as a whole has taken too long. A response that has begun is cut off. */
  #expire(): void {
    const isAnswered = this.#slot !== null && this.#status !== '' && this.#next === null;
    this.#stop(isAnswered ? this.#status : '504', 'expired');
    if (!isAnswered)
      this.#owner.onFailure(new HttpError('TSS_UPSTREAM_TIMEOUT', 'request: it took too long in all'));
  }

  #stop(status: string, outcome: string): void {
    this.#finish();
    this.#endWait();
    const connection = this.#connection;
    this.#connection = null;
    connection?.abort();
    this.#endTry(status, outcome);
  }

  #fail(error: Error): void {
    this.#finish();
    this.#owner.onFailure(error);
  }

  #takeRetry(): boolean {
    this.#isRetrying ||= this.#host.takeRetry();
    return this.#isRetrying;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#limit?.drop();
    this.#limit = null;
    this.#host.endRequest(this.#isRetrying);
  }

  /** Gives the peer back and notes the try for the log, as nginx does: one item per peer. */
  #endTry(status: string, outcome: string): void {
    const slot = this.#slot;
    if (slot === null) return;
    this.#slot = null;
    this.#status = '';
    slot.end();
    const exchange = this.#exchange;
    const seconds = ((monotonicMs() - this.#tryStartedAtMs) / 1000).toFixed(3);
    const become = this.#wasResent ? `resent ${outcome}` : outcome;
    exchange.upstreamAddress = append(exchange.upstreamAddress, slot.peer.name);
    exchange.upstreamStatus = append(exchange.upstreamStatus, status);
    exchange.upstreamTime = append(exchange.upstreamTime, seconds);
    exchange.upstreamOutcome = append(exchange.upstreamOutcome, become);
  }
}

/** Each peer that was tried with its reason, as long as that can be read. */
function joinDetails(before: HttpError | null, detail: string): string {
  if (before === null || before.detail.length + detail.length > longestDetail) return detail;
  return before.detail.includes(detail) ? before.detail : `${before.detail}; ${detail}`;
}

/** What became of a try, in a word for the log. */
function nameFailure({ isOwn, facts: { phase, cause } }: ClientFailure): string {
  if (isOwn) return 'overloaded';
  if (phase === 'connect') return cause === 'timeout' ? 'connect_timeout' : 'refused';
  return cause === 'response' ? 'invalid' : cause;
}

function append(list: string, item: string): string {
  return list === '' ? item : `${list}, ${item}`;
}
