// The target that an upstream gets: the client's, byte for byte, or one rebuilt from the normal path. Never a mixture:
// a prefix taken off the raw target could leave a path that no location was matched for.

import type { Exchange } from '../../message/exchange.ts';
import { encodePath, encodeUri } from '../../message/location.ts';

/** Compiles the rule for one route. Prefixes have no slash at their end; "" for none. */
export function compileTarget(stripPrefix: string, addPrefix: string): (exchange: Exchange) => string {
  if (stripPrefix === '' && addPrefix === '') {
    return (exchange) =>
      exchange.redirected ? encodePath(exchange.path) + readQuery(exchange) : exchange.target;
  }
  return (exchange) => encodePath(addPrefix + stripFrom(exchange.path, stripPrefix)) + readQuery(exchange);
}

/** A prefix ends where a segment does: "/old" is in "/old/x", not in "/older". */
function stripFrom(path: string, prefix: string): string {
  if (prefix === '' || !path.startsWith(prefix)) return path;
  if (path.length === prefix.length) return '/';
  return path.charCodeAt(prefix.length) === 0x2f ? path.slice(prefix.length) : path;
}

/** The query with its "?". As received, unless an internal redirect has made another. */
function readQuery({ redirected, target, query }: Exchange): string {
  if (redirected) return query === '' ? '' : `?${encodeUri(query)}`;
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark);
}
