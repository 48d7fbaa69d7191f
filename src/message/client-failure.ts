// How a request to an upstream went wrong, with the facts from which upstream/ decides whether another try is safe.
// It is an HttpError, so it can end the client's request as it is.

import type { ErrorCode } from './error-catalogue.ts';
import { HttpError } from './http-error.ts';

/** How far the request had come: no connection yet, being sent, waiting for the head, or inside the body. */
export type FailurePhase = 'connect' | 'send' | 'head' | 'body';

/**
 * What happened: the system's error or an early end, a deadline, bytes that are no proper response, or a peer that says
 * it takes no more requests now.
 */
export type FailureCause = 'cut' | 'timeout' | 'response' | 'overload';

/** Errors of a connection that never was, for want of something on our side: descriptors, ports, memory. */
const ownErrnos: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOMEM', 'ENOBUFS']);

/** The state of the connection when it failed. */
export interface FailureFacts {
  readonly phase: FailurePhase;
  readonly cause: FailureCause;
  /** Whether a byte of the request may have left: without one, every method may be tried elsewhere. */
  readonly requestWritten: boolean;
  /** Whether a byte of a response had come. */
  readonly responseStarted: boolean;
  /** Whether the connection had carried a request before: a cut then says nothing about the peer's health. */
  readonly reused: boolean;
  /** The system's error code ("ECONNREFUSED"), or "" when there is none. */
  readonly errno: string;
}

/** A failed request to an upstream. */
export class ClientFailure extends HttpError {
  readonly facts: FailureFacts;
  /** Whether it was our own lack of something: it says nothing about the peer. */
  readonly isOwn: boolean;

  constructor(facts: FailureFacts, detail: string) {
    super(findCode(facts), detail);
    this.name = 'ClientFailure';
    this.facts = facts;
    this.isOwn = isOwnLack(facts);
  }
}

function isOwnLack({ phase, errno }: FailureFacts): boolean {
  return phase === 'connect' && isOwnErrno(errno);
}

/** Whether a system error of a connection that never was says nothing about who was called. */
export function isOwnErrno(errno: string): boolean {
  return ownErrnos.has(errno);
}

function findCode(facts: FailureFacts): ErrorCode {
  const { phase, cause } = facts;
  if (isOwnLack(facts)) return 'TSS_OVERLOADED';
  if (phase === 'connect')
    return cause === 'timeout' ? 'TSS_UPSTREAM_CONNECT_TIMEOUT' : 'TSS_UPSTREAM_CONNECT';
  if (cause === 'timeout') return 'TSS_UPSTREAM_TIMEOUT';
  if (cause === 'overload') return 'TSS_UPSTREAM_UNAVAILABLE';
  return cause === 'response' ? 'TSS_UPSTREAM_RESPONSE' : 'TSS_UPSTREAM_CLOSED';
}

/**
 * The code of a system error. A name with several addresses fails with one error for each of them; the first code
 * stands for all.
 */
export function findErrno(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  return error instanceof AggregateError && error.errors.length > 0
    ? findErrno(error.errors[0] as Error)
    : '';
}

/** An error in words, with every address that was tried ("connect ECONNREFUSED ::1:80, connect …"). */
export function describeError(error: Error): string {
  if (error instanceof HttpError) return error.detail;
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join(', ');
}
