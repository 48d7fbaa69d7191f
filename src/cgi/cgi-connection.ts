// One connection to a peer of the CGI family: connects, sends one request at a time, gives back one response for each,
// and tells its owner when it is free again or gone. Which connection to take, and what a failure means, is upstream/'s.

import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import {
  ClientFailure,
  describeError,
  type FailureCause,
  type FailurePhase,
  findErrno,
} from '../message/client-failure.ts';
import {
  AnnouncedBody,
  type BodyFeeder,
  ClientResponseBody,
  createWholeBody,
} from '../message/client-response-body.ts';
import { HttpError } from '../message/http-error.ts';
import type { ReplyBody } from '../message/reply.ts';
import type {
  ClientAddress,
  ClientListener,
  ClientRequest,
  ConnectionOwner,
  UpstreamConnection,
} from '../message/upstream-connection.ts';
import type { CgiCodec, CgiProtocol } from './cgi-codec.ts';
import { CgiRequestSender, type CgiSenderHost } from './cgi-request-sender.ts';
import { type CgiHeadLimits, CgiResponseReader } from './cgi-response-reader.ts';
import { createCgiCodec } from './create-cgi-codec.ts';
import { findVariable } from './variable-list.ts';

/** What all connections to one peer have in common. */
export interface CgiConnectionOptions {
  readonly protocol: CgiProtocol;
  /** Whether the peer is asked to keep connections. */
  readonly keepsAlive: boolean;
  readonly address: ClientAddress;
  /** What the log calls the peer. */
  readonly name: string;
  /** 0 for no limit. */
  readonly connectTimeoutMs: number;
  readonly limits: CgiHeadLimits;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly owner: ConnectionOwner;
}

/** `ending`: the response is complete, the peer's word that the request is over is not there yet. */
type State = 'connecting' | 'idle' | 'checking' | 'busy' | 'ending' | 'closed';

/** Beyond this idle time a connection is looked at once more before it is used again. */
const freshIdleMs = 5;

/** How long one of several addresses of a name may take before the next is tried as well. */
const addressAttemptMs = 500;

/** How long, and for how many bytes, a peer may go on when its response is complete. */
const maxEndingMs = 5_000;
const maxEndingBytes = 256 * 1024;

/** One buffer for every connection: bytes are copied, or done with, before the read callback returns. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A connection that carries one request at a time. Begins to connect at once. */
export class CgiConnection implements UpstreamConnection, BodyFeeder, CgiSenderHost {
  readonly #options: CgiConnectionOptions;
  readonly #codec: CgiCodec;
  readonly #socket: Socket;
  readonly #sender: CgiRequestSender;
  readonly #reader: CgiResponseReader;
  readonly #deadline: Deadline;
  #state: State = 'connecting';
  #request: ClientRequest | null = null;
  #listener: ClientListener | null = null;
  #body: ClientResponseBody | null = null;
  #paused = false;
  #served = 0;
  #idleSinceMs = 0;
  #endingBytes = 0;

  constructor(options: CgiConnectionOptions) {
    this.#options = options;
    this.#codec = createCgiCodec(options.protocol, options.keepsAlive);
    this.#socket = connect({
      ...options.address,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
      onread: { buffer: readBuffer, callback: (count) => this.#onRead(count) },
    });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('drain', () => this.#sender.onDrain());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error) => this.#fail('cut', error));
    this.#socket.on('close', () => this.#fail('cut', null));
    this.#sender = new CgiRequestSender(this.#socket, this.#codec, this);
    this.#reader = new CgiResponseReader(options.protocol, options.limits);
    this.#deadline = options.timers.createDeadline(() => this.#fail('timeout', null));
    this.#setDeadline(options.connectTimeoutMs);
  }

  get reused(): boolean {
    return this.#served > 1;
  }

  get idleMs(): number {
    return monotonicMs() - this.#idleSinceMs;
  }

  send(request: ClientRequest, listener: ClientListener): void {
    this.#request = request;
    this.#listener = listener;
    this.#served++;
    if (this.#state !== 'idle') return;
    this.#deadline.clear();
    if (this.idleMs < freshIdleMs) {
      this.#start();
      return;
    }
    // The loop may have been busy while the peer closed, or while it wrote what nobody asked for and would now be
    // taken for the answer. One full turn of the loop reads what had come before the request is written.
    this.#state = 'checking';
    setImmediate(this.#lookOnce);
  }

  park(idleTimeoutMs: number): void {
    if (this.#state === 'idle') this.#deadline.set(idleTimeoutMs);
  }

  abort(): void {
    this.#listener = null;
    this.#fail('cut', null);
  }

  resumeBody(): void {
    if (!this.#paused || this.#state !== 'busy') return;
    this.#paused = false;
    this.#socket.resume();
    this.#rearm();
  }

  dropBody(): void {
    this.#body = null;
    if (this.#state === 'busy') this.#release();
  }

  onSenderMoved(): void {
    if (this.#state === 'busy') this.#rearm();
  }

  /** The request's own body failed: not the peer's fault, but the connection is lost. */
  onSourceFailed(error: Error): void {
    this.#finishWith(error);
  }

  readonly #lookOnce = (): void => {
    if (this.#state === 'checking') setImmediate(this.#lookTwice);
  };

  readonly #lookTwice = (): void => {
    if (this.#state === 'checking') this.#start();
  };

  #onConnect(): void {
    if (this.#state !== 'connecting') return;
    this.#deadline.clear();
    if (this.#request !== null) this.#start();
    else this.#rest();
  }

  #start(): void {
    const request = this.#request as ClientRequest;
    this.#state = 'busy';
    this.#reader.begin(request.method);
    try {
      this.#sender.begin(request);
    } catch (error) {
      this.#finishWith(error as Error);
      return;
    }
    if (this.#state === 'busy') this.#rearm();
  }

  #onRead(count: number): boolean {
    if (this.#state === 'closed') return true;
    // Bytes while nothing was asked: out of step, or another protocol.
    if (this.#state !== 'busy' && this.#state !== 'ending') {
      this.#fail('response', new HttpError('TSS_UPSTREAM_RESPONSE', 'bytes that no request asked for'));
      return true;
    }
    let payload: Uint8Array;
    try {
      payload = this.#reader.feed(readBuffer.subarray(0, count));
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#fail(error.code === 'TSS_UPSTREAM_UNAVAILABLE' ? 'overload' : 'response', error);
      return true;
    }
    if (this.#state === 'ending') this.#endSoon(count);
    else if (this.#body !== null) return this.#takeBody(this.#body, payload);
    else if (this.#reader.head !== null && this.#listener !== null)
      return this.#deliver(this.#listener, payload);
    else this.#rearm();
    return true;
  }

  #deliver(listener: ClientListener, payload: Uint8Array): boolean {
    const { complete, head, isBodiless } = this.#reader;
    if (head === null) return true;
    const { contentLength, fields, status } = head;
    if (complete) {
      const body: ReplyBody =
        isBodiless && status !== 204
          ? { kind: 'stream', source: new AnnouncedBody(contentLength) }
          : createWholeBody(payload);
      this.#listener = null;
      this.#release();
      listener.onResponse({ status, fields, body });
      listener.onEnd();
      return true;
    }
    const source = new ClientResponseBody(contentLength, this);
    this.#body = source;
    if (payload.length > 0) this.#paused = !source.push(payload);
    listener.onResponse({ status, fields, body: { kind: 'stream', source } });
    this.#rearm();
    return !this.#paused;
  }

  #takeBody(body: ClientResponseBody, payload: Uint8Array): boolean {
    if (payload.length > 0) this.#paused = !body.push(payload);
    // The reader may have cancelled inside the push.
    if (this.#state !== 'busy') return true;
    if (this.#reader.complete) {
      this.#finishBody(body);
      return true;
    }
    this.#rearm();
    return !this.#paused;
  }

  #finishBody(body: ClientResponseBody): void {
    this.#body = null;
    this.#release();
    body.finish(null);
  }

  /** The response is over: the connection becomes idle, waits for the peer's last word, or is closed. */
  #release(): void {
    const { complete, ended, surplus } = this.#reader;
    const listener = this.#listener;
    this.#listener = null;
    this.#paused = false;
    if (!complete || surplus || this.#sender.state !== 'sent') this.#close();
    else if (ended) this.#settle();
    else {
      // Who is cut off in its last words takes it for an error.
      this.#state = 'ending';
      this.#endingBytes = 0;
      this.#deadline.set(maxEndingMs);
      this.#socket.resume();
    }
    listener?.onEnd();
  }

  #endSoon(count: number): void {
    this.#endingBytes += count;
    if (this.#reader.ended) this.#settle();
    else if (this.#reader.surplus || this.#endingBytes > maxEndingBytes) this.#close();
  }

  #settle(): void {
    if (!this.#codec.keepsAlive || this.#reader.surplus) {
      this.#close();
      return;
    }
    this.#report();
    this.#rest();
    this.#options.owner.onIdle(this, null);
  }

  #rest(): void {
    this.#state = 'idle';
    this.#request = null;
    this.#deadline.clear();
    this.#idleSinceMs = monotonicMs();
  }

  #onEnd(): void {
    if (this.#state === 'busy' && this.#body !== null && this.#reader.end()) this.#finishBody(this.#body);
    else this.#fail('cut', null);
  }

  #fail(cause: FailureCause, error: Error | null): void {
    if (this.#state === 'closed') return;
    // Nobody to tell: an idle connection has come to its end, or a response to its last word.
    if (this.#listener === null && this.#body === null) this.#close();
    else this.#finishWith(this.#describe(cause, error));
  }

  #finishWith(error: Error): void {
    const listener = this.#listener;
    const body = this.#body;
    this.#listener = null;
    this.#body = null;
    this.#close();
    if (body === null) listener?.onFailure(error);
    else {
      body.finish(error);
      listener?.onEnd();
    }
  }

  #close(): void {
    if (this.#state === 'closed') return;
    const isUnderWay = this.#state === 'busy' && !this.#reader.ended;
    this.#report();
    this.#state = 'closed';
    this.#request = null;
    this.#deadline.drop();
    this.#sender.stop();
    if (isUnderWay && this.#codec.abort !== '' && this.#socket.writable) {
      this.#socket.write(this.#codec.abort, 'latin1');
    }
    this.#socket.destroy();
    this.#options.owner.onClosed(this);
  }

  /** Has the log say what the script complained of. */
  #report(): void {
    const { log, name } = this.#options;
    const request = this.#request;
    const text = this.#reader.takeErrorText().trim();
    if (request === null || text === '') return;
    const uri = findVariable(request.head, 'REQUEST_URI');
    log('error', `${name} says on ${request.method} ${JSON.stringify(uri)}: ${JSON.stringify(text)}`);
  }

  /** Whose turn it is decides which deadline runs: the peer's to take up, the peer's to answer, or nobody's. */
  #rearm(): void {
    const request = this.#request;
    if (request === null) return;
    if (this.#sender.state === 'drain') this.#setDeadline(request.sendTimeoutMs);
    else if (this.#sender.state === 'sent' && !this.#paused) {
      const { readTimeoutMs, firstByteTimeoutMs = readTimeoutMs } = request;
      this.#setDeadline(this.#reader.started ? readTimeoutMs : firstByteTimeoutMs);
    } else this.#deadline.clear();
  }

  #setDeadline(delayMs: number): void {
    if (delayMs > 0) this.#deadline.set(delayMs);
    else this.#deadline.clear();
  }

  #describe(cause: FailureCause, error: Error | null): ClientFailure {
    const phase = this.#findPhase();
    const isRefusal = cause === 'overload';
    const what =
      cause === 'timeout'
        ? 'timed out'
        : error === null
          ? 'the peer closed the connection'
          : describeError(error);
    const facts = {
      phase,
      cause,
      // Who has too much to do has not begun; only a body that was read for it cannot be read again.
      requestWritten: this.#state === 'busy' && !(isRefusal && this.#request?.body === null),
      responseStarted: this.#state === 'busy' && this.#reader.started,
      // A refusal on an old connection would be one on a new connection as well.
      reused: this.reused && !isRefusal,
      errno: error === null ? '' : findErrno(error),
    };
    return new ClientFailure(facts, `${phase}: ${what}`);
  }

  #findPhase(): FailurePhase {
    if (this.#state === 'connecting') return 'connect';
    if (this.#body !== null) return 'body';
    return this.#sender.state === 'sent' && this.#state === 'busy' ? 'head' : 'send';
  }
}
