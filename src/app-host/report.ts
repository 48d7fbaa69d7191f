// What an instance has to say goes to its standard error, line by line, and what its application says to its standard
// output; the supervisor labels both and puts them into the error log.

import { format, inspect } from 'node:util';
import type { Exchange } from '../message/exchange.ts';

/** Causes of causes that are shown; an error may be its own cause. */
const maxCauses = 8;

/** Takes the reports of failures in the place of standard error. */
export type FailureObserver = (headline: string, thrown: unknown) => void;

let observer: FailureObserver | null = null;

/** Has failures reported to `next` from now on; to standard error again with null. */
export function observeFailures(next: FailureObserver | null): void {
  observer = next;
}

/** Reports a failure with its stack and causes, under a headline. */
export function reportFailure(headline: string, thrown: unknown): void {
  if (observer !== null) observer(headline, thrown);
  else process.stderr.write(`${headline}: ${describeThrown(thrown)}\n`);
}

/** Reports an event in one line. */
export function reportEvent(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes what an application has to say, formatted as console.log does it. */
export function reportMessage(prefix: string, values: readonly unknown[]): void {
  process.stdout.write(`${prefix}${format(...values)}\n`);
}

/** A failure of one request. The query may hold secrets: only the path is named. */
export function reportRequestFailure(exchange: Exchange, requestId: string, thrown: unknown): void {
  const path = exchange.target.split('?', 1)[0];
  reportFailure(`request ${requestId} ${exchange.method} ${path} failed`, thrown);
}

/** Whatever was thrown as text, errors with their stack and causes. Never throws, although showing it may run its code. */
export function describeThrown(thrown: unknown): string {
  try {
    return describeChain(thrown, maxCauses);
  } catch {
    return 'thrown: a value that cannot be shown';
  }
}

function describeChain(thrown: unknown, depth: number): string {
  if (!(thrown instanceof Error)) return `thrown: ${typeof thrown === 'string' ? thrown : inspect(thrown)}`;
  const { cause } = thrown;
  const text = `${thrown.stack ?? `${thrown.name}: ${thrown.message}`}`;
  return cause === undefined || cause === null || depth === 0
    ? text
    : `${text}\ncaused by ${describeChain(cause, depth - 1)}`;
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
  } catch {
    // A proxy may throw at every touch.
  }
  return new Error(describeThrown(thrown));
}
