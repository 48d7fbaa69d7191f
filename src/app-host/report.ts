// What an instance has to say goes to its standard error, line by line; the supervisor labels it and puts it into the
// error log.

import type { Exchange } from '../message/exchange.ts';

/** Reports a failure with its stack and causes, under a headline. */
export function reportFailure(headline: string, thrown: unknown): void {
  process.stderr.write(`${headline}: ${describeThrown(thrown)}\n`);
}

/** Reports an event in one line. */
export function reportEvent(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A failure of one request. The query may hold secrets: only the path is named. */
export function reportRequestFailure(exchange: Exchange, requestId: string, thrown: unknown): void {
  const path = exchange.target.split('?', 1)[0];
  reportFailure(`request ${requestId} ${exchange.method} ${path} failed`, thrown);
}

function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `thrown: ${String(thrown)}`;
  const text = thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  return thrown.cause === undefined || thrown.cause === null
    ? text
    : `${text}\ncaused by ${describeThrown(thrown.cause)}`;
}
