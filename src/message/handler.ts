// The contract between the rooms on the road of a request.

import type { Exchange } from './exchange.ts';
import type { HttpError } from './http-error.ts';
import type { Answer, Reply } from './reply.ts';

/**
 * Answers an exchange: synchronously when it can, with a promise only when it really has to wait.
 * Fails by returning or throwing (or rejecting with) an HttpError; anything else thrown is a bug and becomes a 500.
 */
export type Handle = (exchange: Exchange) => Answer | Promise<Answer>;

/** A compiled handler: made at load, closed when its Site is no longer used. */
export interface Handler {
  readonly handle: Handle;
  /** Releases what the handler holds. Requests that still run may go on to their end. */
  close(): void;
}

/** Wraps a handler at load. Middleware is folded into the locations, so a request meets only one function. */
export type Middleware = (next: Handle) => Handle;

/** What a protocol room needs of the server: it never throws and never rejects. */
export interface Dispatcher {
  /** Answers a well-formed request. */
  dispatch(exchange: Exchange): Reply | Promise<Reply>;
  /** The reply to a request that the protocol room itself refuses. `exchange` holds what could be understood. */
  refuse(error: HttpError, exchange: Exchange): Reply;
  /** Called once per exchange, after its last byte was handed to the system or its connection was lost. */
  finish(exchange: Exchange): void;
}
