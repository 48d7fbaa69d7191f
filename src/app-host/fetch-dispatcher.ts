// Answers requests by calling a gateway function. Whatever it does (throws, rejects, returns nonsense) becomes an
// answer and a report; it never reaches the connection.

import type { Exchange } from '../message/exchange.ts';
import { getField } from '../message/fields.ts';
import type { Dispatcher } from '../message/handler.ts';
import type { HttpError } from '../message/http-error.ts';
import { createTextReply, type Reply } from '../message/reply.ts';
import type { BackgroundWork } from './background-work.ts';
import type { GatewayContext, GatewayFunction, GatewayLog } from './gateway-function.ts';
import { toKeptReply } from './kept-reply.ts';
import {
  abortRequest,
  carriesBody,
  createLeanRequest,
  endRequest,
  isAborted,
  type LeanRequest,
} from './lean-request.ts';
import { reportMessage, reportRequestFailure } from './report.ts';
import { toReply } from './to-reply.ts';
import { findClientAddress } from './to-web-request.ts';

/** A request id as a server in front may give it; anything else is not repeated into logs. */
const requestIdPattern = /^[\w.:-]{1,128}$/;

class Context implements GatewayContext {
  readonly instance: number;
  readonly #exchange: Exchange;
  readonly #request: LeanRequest;
  readonly #background: BackgroundWork;
  #waitUntil: GatewayContext['waitUntil'] | null = null;
  #log: GatewayLog | null = null;

  constructor(exchange: Exchange, request: LeanRequest, instance: number, background: BackgroundWork) {
    this.instance = instance;
    this.#exchange = exchange;
    this.#request = request;
    this.#background = background;
  }

  get clientAddress(): string {
    return findClientAddress(this.#exchange.fields);
  }

  get requestId(): string {
    return findRequestId(this.#exchange);
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  get log(): GatewayLog {
    this.#log ??= (...values) => reportMessage(`request ${this.requestId}: `, values);
    return this.#log;
  }

  /** May be taken from the context and called by itself. */
  get waitUntil(): GatewayContext['waitUntil'] {
    this.#waitUntil ??= (work) => this.#background.add(work, this.requestId);
    return this.#waitUntil;
  }
}

/** The dispatcher of one application. */
export class FetchDispatcher implements Dispatcher {
  readonly #handle: GatewayFunction;
  readonly #instance: number;
  readonly #background: BackgroundWork;
  /** Requests with bodies that the application may still read. */
  readonly #readable = new Map<Exchange, LeanRequest>();

  constructor(handle: GatewayFunction, instance: number, background: BackgroundWork) {
    this.#handle = handle;
    this.#instance = instance;
    this.#background = background;
  }

  dispatch(exchange: Exchange): Reply | Promise<Reply> {
    const request = createLeanRequest(exchange);
    if (request === null) return createTextReply(400, 'Bad Request\n');
    if (carriesBody(request)) this.#readable.set(exchange, request);
    exchange.onAbort = () => abortRequest(request);
    try {
      const context = new Context(exchange, request, this.#instance, this.#background);
      const handle = this.#handle;
      const returned: unknown = handle(request as unknown as Request, context);
      return toKeptReply(returned, exchange.method) ?? this.#settle(exchange, request, returned);
    } catch (error) {
      return this.#fail(exchange, request, error);
    }
  }

  refuse(error: HttpError): Reply {
    return createTextReply(error.status, `${error.code}\n`, [...error.fields]);
  }

  finish(exchange: Exchange): void {
    if (this.#readable.size > 0) this.#endRequest(exchange);
    if (exchange.failure !== null) {
      reportRequestFailure(exchange, findRequestId(exchange), exchange.failure);
    }
  }

  #endRequest(exchange: Exchange): void {
    const request = this.#readable.get(exchange);
    if (request === undefined) return;
    this.#readable.delete(exchange);
    endRequest(request);
  }

  async #settle(exchange: Exchange, request: LeanRequest, returned: unknown): Promise<Reply> {
    try {
      const response = await returned;
      return toKeptReply(response, exchange.method) ?? (await toReply(response, exchange.method));
    } catch (error) {
      return this.#fail(exchange, request, error);
    }
  }

  #fail(exchange: Exchange, request: LeanRequest, error: unknown): Reply {
    // A function that gives up because its client is gone did what it was asked to.
    if (!isAborted(request)) reportRequestFailure(exchange, findRequestId(exchange), error);
    return createTextReply(500, 'Internal Server Error\n');
  }
}

function findRequestId(exchange: Exchange): string {
  const given = getField(exchange.fields, 'x-request-id');
  return given !== undefined && requestIdPattern.test(given) ? given : exchange.requestId;
}
