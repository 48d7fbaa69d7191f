// Request of the web standard over an exchange: every member is made when it is first asked for. What it is asked to
// become (a clone, the start of another Request, a form) is made by the platform's own classes.

import { Readable } from 'node:stream';
import type { RequestBody } from '../message/body.ts';
import type { Exchange } from '../message/exchange.ts';
import { type KeptBody, toArrayBuffer, toText } from './kept-body.ts';
import type { LeanHeaders } from './lean-headers.ts';
import {
  dressAs,
  inheritConstants,
  markUncloneable,
  PlatformRequest,
  PlatformResponse,
} from './platform-web.ts';
import { RequestStream } from './request-stream.ts';
import { findOrigin, hasWebBody, toUrl, toWebHeaders, toWebMethod } from './to-web-request.ts';
import { WholeBody } from './whole-body.ts';

/** The Request of an exchange, or null for one that no Request can express (an impossible host, the method TRACE). */
export function createLeanRequest(exchange: Exchange): LeanRequest | null {
  const method = toWebMethod(exchange.method);
  const origin = findOrigin(exchange.fields);
  return method === null || origin === null ? null : new LeanRequest(exchange, method, origin);
}

/** Whether a value is a Request of ours. */
export let isLeanRequest: (value: unknown) => value is LeanRequest;

/** The client is gone: `signal` is, or will be found, aborted. */
export let abortRequest: (request: LeanRequest) => void;

/** Whether it has a body, which ends with its exchange. */
export let carriesBody: (request: LeanRequest) => boolean;

/** Whether {@link abortRequest} was called. */
export let isAborted: (request: LeanRequest) => boolean;

/** The answer is out: what was not read of the body until now can no longer be. */
export let endRequest: (request: LeanRequest) => void;

/** A platform Request with the same members, which takes the body over. Without it on demand. Throws when it is used. */
export let toPlatformRequest: (request: LeanRequest, takesBody: boolean) => Request;

function createEndError(): TypeError {
  return new TypeError('the request is over: its body can no longer be read');
}

/** Stands in for the platform's Request, for the requests that an instance gets. */
export class LeanRequest {
  readonly #exchange: Exchange;
  readonly #method: string;
  readonly #origin: string;
  /** Null when the exchange has none that a Request can carry. */
  readonly #body: RequestBody | null;
  #url = '';
  #headers: LeanHeaders | null = null;
  #abort: AbortController | null = null;
  #aborted = false;
  #over = false;
  /** Read whole, without a stream. */
  #whole: WholeBody | null = null;
  #source: RequestStream | null = null;
  /** The body, once somebody wanted a stream. */
  #stream: ReadableStream<Uint8Array> | null = null;

  constructor(exchange: Exchange, method: string, origin: string) {
    markUncloneable?.(this);
    this.#exchange = exchange;
    this.#method = method;
    this.#body = hasWebBody(exchange, method) ? exchange.body : null;
    this.#origin = origin;
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    if (this.#url === '') this.#url = toUrl(this.#origin, this.#exchange.target);
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= toWebHeaders(this.#exchange.fields);
    return this.#headers as unknown as Headers;
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#stream === null && this.#body !== null) this.#stream = this.#createStream(this.#body);
    return this.#stream;
  }

  get bodyUsed(): boolean {
    return this.#stream === null ? this.#whole !== null : isDisturbed(this.#stream);
  }

  clone(): Request {
    if (this.bodyUsed || this.#stream?.locked) {
      throw new TypeError('the body was already read, or is being read');
    }
    const { body } = this;
    if (body === null) return toPlatformRequest(this, false);
    const [ours, theirs] = body.tee();
    this.#stream = theirs;
    const clone = toPlatformRequest(this, true);
    this.#stream = ours;
    return clone;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#stream === null ? toArrayBuffer(await this.#readWhole()) : this.#carry().arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return this.#carry().blob() as Promise<Blob>;
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  async formData(): Promise<FormData> {
    return this.#carry().formData();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async text(): Promise<string> {
    return this.#stream === null ? toText(await this.#readWhole()) : this.#carry().text();
  }

  #readWhole(): Promise<KeptBody> | null {
    if (this.#whole !== null) throw new TypeError('the body was already read');
    if (this.#body === null) return null;
    if (this.#over) throw createEndError();
    this.#whole = new WholeBody(this.#body);
    return this.#whole.bytes;
  }

  #createStream(body: RequestBody): ReadableStream<Uint8Array> {
    if (this.#whole !== null) return createUsedStream();
    this.#source = new RequestStream(body);
    if (this.#over) this.#source.end();
    return this.#source.stream;
  }

  /** A platform Response reads a stream, and a form or blob out of it, as a Request would. */
  #carry(): Response {
    const type = this.headers.get('content-type');
    return new PlatformResponse(this.body, type === null ? {} : { headers: { 'content-type': type } });
  }

  static {
    isLeanRequest = (value): value is LeanRequest =>
      typeof value === 'object' && value !== null && #exchange in value;
    abortRequest = (request) => {
      request.#aborted = true;
      request.#abort?.abort();
    };
    carriesBody = (request) => request.#body !== null;
    isAborted = (request) => request.#aborted;
    endRequest = (request) => {
      request.#over = true;
      request.#whole?.fail(createEndError());
      request.#source?.end();
    };
    toPlatformRequest = (request, takesBody) => {
      const { method, url, headers, signal } = request;
      const body = takesBody ? request.body : null;
      return new PlatformRequest(url, {
        method,
        headers,
        signal,
        ...(body === null ? {} : { body, duplex: 'half' }),
      });
    };
  }
}

/** Whether anything was read of a stream. Node's function takes web streams too. */
function isDisturbed(stream: ReadableStream): boolean {
  return Readable.isDisturbed(stream as unknown as Readable);
}

/** What the body of a Request is after it was read. */
function createUsedStream(): ReadableStream<Uint8Array> {
  const response = new PlatformResponse('');
  void response.text();
  return response.body as ReadableStream<Uint8Array>;
}

dressAs(LeanRequest, PlatformRequest);
inheritConstants(LeanRequest, new PlatformRequest('http://localhost/'), isLeanRequest);
