// Answers requests by calling a gateway function. Whatever it does (throws, rejects, returns nonsense) becomes an
// answer and a report; it never reaches the connection.

import type { Exchange } from '../message/exchange.ts';
import { getField } from '../message/fields.ts';
import type { Dispatcher } from '../message/handler.ts';
import type { HttpError } from '../message/http-error.ts';
import { createTextReply, type Reply } from '../message/reply.ts';
import type { BackgroundWork } from './background-work.ts';
import type { GatewayContext, GatewayFunction } from './gateway-function.ts';
import { reportRequestFailure } from './report.ts';
import { RequestStream } from './request-stream.ts';
import { toReply } from './to-reply.ts';
import { findClientAddress, hasWebBody, toWebRequest } from './to-web-request.ts';

/** A request id as a server in front may give it; anything else is not repeated into logs. */
const requestIdPattern = /^[\w.:-]{1,128}$/;

class Context implements GatewayContext {
  readonly requestId: string;
  readonly instance: number;
  readonly signal: AbortSignal;
  readonly #exchange: Exchange;
  readonly #background: BackgroundWork;

  constructor(exchange: Exchange, instance: number, signal: AbortSignal, background: BackgroundWork) {
    this.requestId = findRequestId(exchange);
    this.instance = instance;
    this.signal = signal;
    this.#exchange = exchange;
    this.#background = background;
  }

  get clientAddress(): string {
    return findClientAddress(this.#exchange.fields);
  }

  /** An own property, so that it may be taken from the context and called by itself. */
  readonly waitUntil = (work: Promise<unknown>): void => this.#background.add(work, this.requestId);
}

/** The dispatcher of one application. */
export class FetchDispatcher implements Dispatcher {
  readonly #handle: GatewayFunction;
  readonly #instance: number;
  readonly #background: BackgroundWork;
  /** Bodies that the application may still read. */
  readonly #streams = new Map<Exchange, RequestStream>();

  constructor(handle: GatewayFunction, instance: number, background: BackgroundWork) {
    this.#handle = handle;
    this.#instance = instance;
    this.#background = background;
  }

  async dispatch(exchange: Exchange): Promise<Reply> {
    const abort = new AbortController();
    exchange.onAbort = () => abort.abort();
    try {
      const request = this.#createRequest(exchange, abort.signal);
      if (request === null) return createTextReply(400, 'Bad Request\n');
      const context = new Context(exchange, this.#instance, abort.signal, this.#background);
      const handle = this.#handle;
      return await toReply(await handle(request, context), exchange.method);
    } catch (error) {
      return this.#fail(exchange, error, abort.signal);
    }
  }

  refuse(error: HttpError): Reply {
    return createTextReply(error.status, `${error.code}\n`, [...error.fields]);
  }

  finish(exchange: Exchange): void {
    const stream = this.#streams.get(exchange);
    if (stream !== undefined) {
      this.#streams.delete(exchange);
      stream.end();
    }
    if (exchange.failure !== null) {
      reportRequestFailure(exchange, findRequestId(exchange), exchange.failure);
    }
  }

  /** The request, or null for one that no web Request can express (an impossible host, the method TRACE). */
  #createRequest(exchange: Exchange, signal: AbortSignal): Request | null {
    const stream = hasWebBody(exchange) ? new RequestStream(exchange.body) : null;
    try {
      const request = toWebRequest(exchange, stream?.stream ?? null, signal);
      if (stream !== null) this.#streams.set(exchange, stream);
      return request;
    } catch (error) {
      if (error instanceof TypeError) return null;
      throw error;
    }
  }

  #fail(exchange: Exchange, error: unknown, signal: AbortSignal): Reply {
    // A function that gives up because its client is gone did what it was asked to.
    if (!signal.aborted) reportRequestFailure(exchange, findRequestId(exchange), error);
    return createTextReply(500, 'Internal Server Error\n');
  }
}

function findRequestId(exchange: Exchange): string {
  const given = getField(exchange.fields, 'x-request-id');
  return given !== undefined && requestIdPattern.test(given) ? given : exchange.requestId;
}
