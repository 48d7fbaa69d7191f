// One request of a front worker on a connection that carries many. To whoever sends it, it is a connection like any
// other; it is used again for a later request when this one is over.

import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import { parseFieldLines } from '../http1/parse-field-lines.ts';
import { ClientFailure, type FailureCause } from '../message/client-failure.ts';
import {
  AnnouncedBody,
  type BodyFeeder,
  ClientResponseBody,
  createWholeBody,
} from '../message/client-response-body.ts';
import type { Fields } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import type { ReplyBody } from '../message/reply.ts';
import type { ClientListener, ClientRequest, UpstreamConnection } from '../message/upstream-connection.ts';
import type { FrameWriter } from './frame-writer.ts';
import {
  creditStepBytes,
  frameTypes,
  type ResponseStart,
  readResponseStart,
  responseStartBytes,
} from './frames.ts';
import { WaitingBytes } from './waiting-bytes.ts';

/** As for every other answer of an upstream. */
const maxFields = 1000;
const maxHeadBytes = 64 * 1024;

/** The connection that a stream is part of. */
export interface StreamOwner {
  readonly timers: TimerWheel;
  readonly writer: FrameWriter;
  /** A stream's request begins. Returns its number. */
  begin(stream: MuxStream): number;
  /** Nothing more is sent or awaited for a stream's request. */
  end(id: number): void;
  /** A stream may be used for another request. */
  giveBack(stream: MuxStream): void;
}

/** One request under way, or none. */
export class MuxStream implements UpstreamConnection, BodyFeeder {
  readonly idleMs = 0;
  /** The instance agreed to the connection before, and may be about to end: a cut says nothing about its health. */
  readonly reused = true;
  readonly #link: StreamOwner;
  readonly #deadline: Deadline;
  /** Its number on the connection; 0 while no request is under way. */
  #id = 0;
  #request: ClientRequest | null = null;
  #listener: ClientListener | null = null;
  #body: ClientResponseBody | null = null;
  /** Bytes that were taken up and not told of. */
  #owedCredit = 0;
  /** No more than the credit given. */
  readonly #waiting = new WaitingBytes();
  #blocked = false;
  /** Whether the instance has said all: what waits is the client's even if the connection breaks. */
  #ended = false;
  /** Why the body ends behind what waits without being complete; null when it does not. */
  #brokenBy: string | null = null;
  #responseStarted = false;

  constructor(link: StreamOwner) {
    this.#link = link;
    this.#deadline = link.timers.createDeadline(() => this.#fail('timeout', 'timed out'));
  }

  send(request: ClientRequest, listener: ClientListener): void {
    this.#request = request;
    this.#listener = listener;
    this.#owedCredit = 0;
    this.#blocked = false;
    this.#ended = false;
    this.#responseStarted = false;
    this.#id = this.#link.begin(this);
    this.#link.writer.writeText(frameTypes.request, this.#id, request.head);
    this.#rearm();
  }

  /** Nothing to keep: the connection stays by itself. */
  park(): void {}

  abort(): void {
    if (this.#id === 0) return;
    this.#listener = null;
    this.#fail('cut', 'given up');
  }

  resumeBody(): void {
    this.#blocked = false;
    while (this.#body !== null && !this.#blocked) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#push(this.#body, chunk);
    }
    if (this.#body === null || !this.#ended || !this.#waiting.isEmpty) this.#rearm();
    else if (this.#brokenBy === null) this.#complete(this.#body);
    else this.#fail('cut', this.#brokenBy);
  }

  dropBody(): void {
    const listener = this.#listener;
    if (this.#id === 0) return;
    this.#finish();
    listener?.onEnd();
    this.#link.giveBack(this);
  }

  /** A frame for this request. Throws when it is out of place. */
  onFrame(type: number, payload: Buffer): void {
    if (type === frameTypes.response) this.#begin(payload);
    else if (this.#ended) throw new Error('a frame behind the last one');
    else if (this.#body === null) throw new Error('a body without a head');
    else if (type === frameTypes.data) this.#takeData(this.#body, payload);
    else if (type === frameTypes.end) {
      this.#end();
      if (this.#waiting.isEmpty) this.#complete(this.#body);
    } else if (type === frameTypes.broken) this.#breakOff('the application broke off');
    else throw new Error(`a frame of type ${type}`);
  }

  /** It will carry no further request. */
  retire(): void {
    this.#deadline.drop();
  }

  /** The connection is gone. */
  onLost(detail: string): void {
    if (this.#id !== 0) this.#breakOff(detail);
  }

  #begin(payload: Buffer): void {
    const start = readResponseStart(payload);
    const listener = this.#listener;
    if (start === null || listener === null || this.#responseStarted) throw new Error('no proper head');
    const { status, fieldLines, complete } = start;
    this.#responseStarted = true;
    if (complete) this.#end();
    const fields = this.#parseFields(fieldLines);
    if (fields === null) return;
    if (complete) {
      const body = this.#readBody(start, payload.subarray(responseStartBytes + fieldLines.length));
      this.#finish();
      listener.onResponse({ status, fields, body });
      listener.onEnd();
      this.#link.giveBack(this);
      return;
    }
    const source = new ClientResponseBody(start.length, this);
    this.#body = source;
    this.#rearm();
    listener.onResponse({ status, fields, body: { kind: 'stream', source } });
  }

  /** Null when they are no proper fields: the request has failed then. */
  #parseFields(lines: string): Fields | null {
    try {
      if (lines.length <= maxHeadBytes) return parseFieldLines(lines, 0, lines.length, maxFields);
      this.#fail('response', `the fields have more than ${maxHeadBytes} bytes`);
    } catch (error) {
      this.#fail('response', error instanceof HttpError ? error.detail : 'no proper fields');
    }
    return null;
  }

  #readBody({ status, length }: ResponseStart, bytes: Buffer): ReplyBody {
    if (this.#request?.method === 'HEAD' || status === 304) {
      return { kind: 'stream', source: new AnnouncedBody(length) };
    }
    return createWholeBody(bytes);
  }

  #takeData(body: ClientResponseBody, payload: Buffer): void {
    if (this.#blocked || !this.#waiting.isEmpty) this.#waiting.push(payload);
    else this.#push(body, payload);
  }

  #push(body: ClientResponseBody, chunk: Buffer): void {
    if (chunk.length === 0) return;
    // What the body holds is with the reader soon: only what waits behind it is without credit.
    this.#owedCredit += chunk.length;
    if (this.#owedCredit >= creditStepBytes && !this.#ended) {
      this.#link.writer.writeNumber(frameTypes.credit, this.#id, this.#owedCredit);
      this.#owedCredit = 0;
    }
    this.#blocked = !body.push(chunk);
    // The reader may have cancelled inside the push.
    if (this.#body !== null) this.#rearm();
  }

  #complete(body: ClientResponseBody): void {
    const listener = this.#listener;
    this.#finish();
    body.finish(null);
    listener?.onEnd();
    this.#link.giveBack(this);
  }

  #rearm(): void {
    const request = this.#request;
    if (request === null || this.#blocked) {
      this.#deadline.clear();
      return;
    }
    const { readTimeoutMs, firstByteTimeoutMs = readTimeoutMs } = request;
    const delayMs = this.#responseStarted ? readTimeoutMs : firstByteTimeoutMs;
    if (delayMs === 0) this.#deadline.clear();
    else this.#deadline.set(delayMs);
  }

  #fail(cause: FailureCause, detail: string): void {
    const listener = this.#listener;
    const body = this.#body;
    const phase = body === null ? 'head' : 'body';
    const failure = new ClientFailure(
      {
        phase,
        cause,
        requestWritten: true,
        responseStarted: this.#responseStarted,
        reused: this.reused,
        errno: '',
      },
      `${phase}: ${detail}`,
    );
    this.#finish();
    if (body === null) listener?.onFailure(failure);
    else {
      body.finish(failure);
      listener?.onEnd();
    }
    this.#link.giveBack(this);
  }

  /** The client still gets what has come. */
  #breakOff(detail: string): void {
    this.#end();
    if (this.#waiting.isEmpty) this.#fail('cut', detail);
    else this.#brokenBy = detail;
  }

  /** The connection has no more to do with the request. */
  #end(): void {
    this.#ended = true;
    this.#link.end(this.#id);
  }

  /** The request is over. Only when everybody knows may the stream be used again. */
  #finish(): void {
    if (!this.#ended) {
      this.#link.writer.write(frameTypes.cancel, this.#id);
      this.#end();
    }
    this.#id = 0;
    this.#request = null;
    this.#listener = null;
    this.#body = null;
    this.#waiting.clear();
    this.#brokenBy = null;
    this.#deadline.clear();
  }
}
