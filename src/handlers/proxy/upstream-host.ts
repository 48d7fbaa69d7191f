// The Host that an upstream sees.

import type { Exchange } from '../../message/exchange.ts';
import { getField } from '../../message/fields.ts';
import { HttpError } from '../../message/http-error.ts';
import { compileTemplate } from '../../message/template.ts';

/** What may stand in a Host field: a name or an address with an optional port. */
const hostPattern = /^[A-Za-z0-9\-._~[\]:]+$/;

/**
 * Compiles the `host` setting; null passes on the client's. `fallback` stands in when a client of HTTP/1.0 named
 * none. The compiled function throws an HttpError TSS_HOST for variables that give no host.
 */
export function compileHost(setting: string | null, fallback: string): (exchange: Exchange) => string {
  const standIn = hostPattern.test(fallback) ? fallback : 'localhost';
  if (setting === null) {
    return (exchange) => getField(exchange.fields, 'host') || exchange.host || standIn;
  }
  const template = compileTemplate(setting);
  return (exchange) => {
    const host = template.evaluate(exchange);
    if (hostPattern.test(host)) return host;
    throw new HttpError('TSS_HOST', `${JSON.stringify(host)} is no host for an upstream`);
  };
}
