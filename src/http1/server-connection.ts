// One client connection: has each request answered in order, keeps or closes the connection, and owns its deadlines.
// Reading heads and bodies and writing replies is next door; what to answer is the dispatcher's.

import type { Socket } from 'node:net';
import { monotonicMs } from '../base/clock.ts';
import type { Deadline } from '../base/timer-wheel.ts';
import { emptyRequestBody } from '../message/body.ts';
import { type ConnectionFacts, Exchange } from '../message/exchange.ts';
import { HttpError } from '../message/http-error.ts';
import { Reply, type TunnelOpener } from '../message/reply.ts';
import type { Receiver } from './accept-connections.ts';
import { HeadReader, type ReadHead } from './head-reader.ts';
import type { OpenConnection, ServerConnectionOptions } from './http1-settings.ts';
import { Linger, maxQuietBytes } from './linger.ts';
import { RequestHead } from './parse-request-head.ts';
import { ReplyWriter, type ReplyWriterOwner } from './reply-writer.ts';
import { type RequestBodyOwner, RequestBodyReader } from './request-body.ts';
import type { RequestTarget } from './request-target.ts';

/**
 * head: waiting for a request, or in the middle of a head. exchange: a request is being answered. discarding: it was
 * answered before its body was read to the end. lingering: nothing more is answered; what the client still sends is
 * thrown away until it has seen our end. tunnel: somebody else owns the socket.
 */
type State = 'head' | 'exchange' | 'discarding' | 'lingering' | 'tunnel' | 'closed';

/** How long an idle connection may still bring a request after a drain began, before it is closed. */
const drainQuietMs = 1_000;

/** One HTTP/1.1 connection, server side. */
export class ServerConnection implements OpenConnection, Receiver, ReplyWriterOwner, RequestBodyOwner {
  readonly #socket: Socket;
  readonly #facts: ConnectionFacts;
  readonly #options: ServerConnectionOptions;
  readonly #readDeadline: Deadline;
  readonly #sendDeadline: Deadline;
  readonly #writer: ReplyWriter;
  readonly #heads: HeadReader;
  #state: State = 'head';
  #headStarted = false;
  #served = 0;
  #running = false;
  #paused = false;
  #draining = false;
  #clientEnded = false;
  #headSent = false;
  #continuePending = false;
  #keepAlive = false;
  #clientCloses = false;
  #linger: Linger | null = null;
  #exchange: Exchange | null = null;
  #body: RequestBodyReader | null = null;

  constructor(socket: Socket, facts: ConnectionFacts, options: ServerConnectionOptions) {
    const { settings, timers } = options;
    this.#socket = socket;
    this.#facts = facts;
    this.#options = options;
    this.#readDeadline = timers.createDeadline(() => this.#onReadTimeout());
    this.#sendDeadline = timers.createDeadline(() => this.destroy());
    this.#writer = new ReplyWriter(socket, this.#sendDeadline, settings.timeouts.send, this);
    this.#heads = new HeadReader(settings.limits);
    this.#readDeadline.set(settings.timeouts.header);
    socket.on('end', () => this.#onEnd());
    // 'close' follows an error; without a listener the process would end.
    socket.on('error', () => {}).on('close', () => this.#onClose());
  }

  get idle(): boolean {
    return this.#state === 'head' && !this.#heads.hasInput;
  }

  get exchange(): Exchange | null {
    return this.#exchange;
  }

  drain(): void {
    this.#draining = true;
    if (this.#state === 'head' && !this.#headStarted) this.#readDeadline.set(drainQuietMs);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  receive(buffer: Buffer, size: number): boolean {
    switch (this.#state) {
      case 'head':
        this.#heads.push(buffer.toString('latin1', 0, size));
        this.#run();
        break;
      case 'exchange':
        this.#takeEarly(buffer, size);
        break;
      case 'discarding':
        this.#body?.push(buffer.subarray(0, size));
        this.#discard();
        break;
      case 'lingering':
        this.#linger?.extend();
        break;
      case 'tunnel':
        return this.#socket.push(Buffer.from(buffer.subarray(0, size)));
    }
    return !this.#paused;
  }

  /** Bytes that come while a request is being answered: its body, or the next requests. */
  #takeEarly(buffer: Buffer, size: number): void {
    const body = this.#body;
    if (body === null || body.done) {
      this.#leaveBody(body);
      // Not read on before this request is answered: a client can not make us hold more than one read.
      this.#heads.push(buffer.toString('latin1', 0, size));
      this.#pause();
      return;
    }
    body.push(buffer.subarray(0, size));
    if (body.backlogged) this.#pause();
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Answers what is complete in the input, as far as it goes without waiting. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#writer.beginBatch();
    while (this.#state === 'head' && !this.#writer.congested) {
      if (!this.#takeRequest()) break;
    }
    this.#writer.endBatch();
    this.#running = false;
    if (this.#state === 'head') this.#awaitHead();
    // Reading on is how a client that leaves is noticed.
    else if (this.#state === 'exchange' && !this.#heads.hasInput && this.#body === null) this.#resume();
  }

  #awaitHead(): void {
    if (this.#clientEnded) {
      this.#close();
      return;
    }
    this.#resume();
    const { header, keepalive } = this.#options.settings.timeouts;
    if (this.#heads.hasInput) {
      // Set once per head: a byte now and then does not extend it.
      if (!this.#headStarted) this.#readDeadline.set(header);
      this.#headStarted = true;
    } else if (this.#served > 0) {
      this.#readDeadline.set(this.#draining ? Math.min(drainQuietMs, keepalive) : keepalive);
    }
  }

  /** Reads one request and has it answered. Returns false when the input holds no complete one. */
  #takeRequest(): boolean {
    let request: ReadHead | null;
    try {
      request = this.#heads.read();
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#refuse(error);
      return true;
    }
    if (request === null) return false;
    const { head, framing, target } = request;
    this.#headStarted = false;
    this.#continuePending = framing.expectsContinue;
    this.#keepAlive = framing.keepAlive;
    this.#clientCloses = !framing.keepAlive && framing.length === 0;
    const body = framing.length === 0 ? null : this.#createBody(framing.length);
    const exchange = this.#begin(head, target, body);
    const reply = this.#options.dispatcher.dispatch(exchange);
    if (reply instanceof Reply) this.#answer(exchange, reply);
    else void reply.then((late) => this.#answer(exchange, late));
    return true;
  }

  #createBody(length: number | null): RequestBodyReader {
    const body = new RequestBodyReader(length, this.#options.settings.limits, this);
    const rest = this.#heads.takeRest();
    if (rest !== null) {
      // A client that sends its body unasked does not wait for a 100.
      this.#continuePending = false;
      body.push(rest);
    }
    return body;
  }

  #begin(head: RequestHead, { target, host }: RequestTarget, body: RequestBodyReader | null): Exchange {
    const { method, httpVersion, fields } = head;
    const facts = this.#facts;
    const now = monotonicMs();
    const exchange = new Exchange(
      facts,
      method,
      target,
      httpVersion,
      fields,
      host,
      body ?? emptyRequestBody,
      now,
    );
    this.#state = 'exchange';
    this.#exchange = exchange;
    this.#body = body;
    this.#headSent = false;
    this.#served++;
    this.#readDeadline.clear();
    return exchange;
  }

  /** A request that cannot be understood: one reply, bodiless if it seems a HEAD; nothing behind it is believed. */
  #refuse(error: HttpError): void {
    const line = this.#heads.peekLine();
    const exchange = this.#begin(new RequestHead('', line, '1.1', []), { target: line, host: '' }, null);
    this.#keepAlive = false;
    this.#answer(exchange, this.#options.dispatcher.refuse(error, exchange), line.split(' ', 1)[0]);
  }

  #answer(exchange: Exchange, reply: Reply, method = exchange.method): void {
    const { body } = reply;
    if (this.#exchange !== exchange) {
      if (body !== null && body.kind === 'stream') body.source.cancel();
      return;
    }
    exchange.status = reply.status;
    this.#headSent = true;
    if (body !== null && body.kind === 'tunnel') {
      this.#openTunnel(body.open);
      return;
    }
    if (this.#draining || this.#clientEnded || !this.#isBodyDiscardable()) this.#keepAlive = false;
    if (!this.#writer.write(reply, method, exchange.httpVersion, this.#keepAlive)) return;
    this.#finish();
    this.#run();
  }

  #isBodyDiscardable(): boolean {
    const body = this.#body;
    return body === null || body.done || (!this.#continuePending && body.discardable);
  }

  onReplySent(): void {
    this.#finish();
    this.#run();
  }

  onReplyFailed(error: Error): void {
    if (this.#exchange !== null) {
      this.#exchange.abortedBy = 'upstream';
      this.#exchange.failure = error;
    }
    // A reset (only TCP has one): a client that reads until the close must not take the part for the whole.
    this.#socket[this.#socket.remoteFamily === undefined ? 'destroy' : 'resetAndDestroy']();
  }

  /** The reply is out: log it, and see how the connection goes on. */
  #finish(): void {
    const exchange = this.#exchange as Exchange;
    this.#exchange = null;
    exchange.bodyBytesSent = this.#writer.bodyBytesSent;
    exchange.onAbort = null;
    this.#options.dispatcher.finish(exchange);
    const body = this.#body;
    if (!this.#keepAlive || !this.#writer.keepAlive) {
      body?.fail(new HttpError('TSS_CLIENT_CLOSED', 'answered before the body was read'));
      this.#close();
      return;
    }
    this.#state = 'head';
    if (body === null || body.done) {
      this.#leaveBody(body);
    } else {
      this.#state = 'discarding';
      this.#readDeadline.set(this.#options.settings.timeouts.body);
      this.#discard();
    }
  }

  #leaveBody(body: RequestBodyReader | null): void {
    this.#body = null;
    const rest = body?.takeRest() ?? null;
    if (rest !== null) this.#heads.push(rest);
  }

  #discard(): void {
    const body = this.#body as RequestBodyReader;
    if (!body.discard()) {
      this.#close();
    } else if (body.done) {
      this.#state = 'head';
      this.#leaveBody(body);
      this.#run();
    } else {
      this.#resume();
    }
  }

  onBodyWanted(): void {
    if (this.#continuePending) {
      this.#continuePending = false;
      this.#writer.writeContinue();
    }
    if (this.#clientEnded) {
      this.#body?.fail(new HttpError('TSS_CLIENT_CLOSED', 'the client ended before its body was complete'));
      return;
    }
    this.#readDeadline.set(this.#options.settings.timeouts.body);
    this.#resume();
  }

  onBodyDelivered(): void {
    this.#readDeadline.clear();
    if (this.#body?.done && !this.#body.backlogged) this.#resume();
  }

  #onReadTimeout(): void {
    if (this.#state === 'exchange') {
      this.#keepAlive = false;
      this.#body?.fail(new HttpError('TSS_BODY_TIMEOUT', 'no byte of the body within the body timeout'));
    } else if (this.#state === 'head' && this.#headStarted) {
      this.#refuse(
        new HttpError('TSS_HEADER_TIMEOUT', 'the head was not complete within the header timeout'),
      );
    } else if (this.#state === 'head') {
      this.#close();
    } else {
      this.destroy();
    }
  }

  #onEnd(): void {
    this.#clientEnded = true;
    if (this.#state === 'exchange') {
      // A half-closed client may still read; as nginx does, only work that somebody else has to do is given up.
      const isGivenUp = this.#exchange?.abort() === true;
      this.#body?.fail(new HttpError('TSS_CLIENT_CLOSED', 'the client ended before its body was complete'));
      if (isGivenUp) this.destroy();
    } else if (this.#state === 'head' || this.#state === 'discarding') this.#close();
    else if (this.#socket.writableLength === 0) this.destroy();
  }

  /** Says the end, then waits for the client's. A client that said it would send no more is not waited for. */
  #close(): void {
    if (this.#state === 'closed' || this.#state === 'lingering') return;
    this.#state = 'lingering';
    const isQuiet = this.#clientCloses && !this.#heads.hasInput;
    this.#heads.takeRest();
    this.#body = null;
    this.#writer.endBatch();
    const socket = this.#socket;
    // Measured: a connection for one request costs a quarter less so.
    if (isQuiet && socket.writableLength === 0 && socket.bytesWritten <= maxQuietBytes) this.destroy();
    if (socket.destroyed) return;
    this.#linger = new Linger(socket, this.#readDeadline, this.#options.settings.timeouts.send);
    this.#resume();
  }

  #openTunnel(open: TunnelOpener): void {
    this.#state = 'tunnel';
    this.#readDeadline.clear();
    this.#writer.endBatch();
    for (const event of ['data', 'end', 'drain']) this.#socket.removeAllListeners(event);
    open(this.#socket, this.#heads.takeRest() ?? Buffer.alloc(0));
  }

  #onClose(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#readDeadline.drop();
    this.#writer.abort();
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange !== null) this.#reportLost(exchange);
    this.#body?.fail(new HttpError('TSS_CLIENT_CLOSED', 'the connection was lost'));
    this.#body = null;
    this.#heads.takeRest();
    this.#options.onClose(this);
  }

  #reportLost(exchange: Exchange): void {
    exchange.abortedBy ??= exchange.status === 101 ? null : 'client';
    exchange.bodyBytesSent = this.#headSent ? this.#writer.bodyBytesSent : 0;
    if (!this.#headSent) exchange.status = 499;
    exchange.abort();
    this.#options.dispatcher.finish(exchange);
  }
}
