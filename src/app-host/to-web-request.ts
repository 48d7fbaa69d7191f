// What of an Exchange goes into the web Request that a gateway function is called with. The server in front has settled
// who the client is and what it asked for; its word (X-Forwarded-*) is taken, for nobody else can reach the socket.

import type { Exchange } from '../message/exchange.ts';
import { type Fields, getField } from '../message/fields.ts';
import { type LeanHeaders, wrapFields } from './lean-headers.ts';
import { PlatformRequest } from './platform-web.ts';

/** Fields that concern one connection, not the message (RFC 9110 7.6.1). */
const connectionFields = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const plainMethods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

/** The method as a Request tells it, or null for one that it may not have (TRACE, CONNECT). */
export function toWebMethod(method: string): string | null {
  if (plainMethods.has(method)) return method;
  try {
    return new PlatformRequest('http://localhost/', { method }).method;
  } catch {
    return null;
  }
}

/** Whether a Request can carry the body of this exchange: there is one, and the method may have one. */
export function hasWebBody(exchange: Exchange, method: string): boolean {
  return exchange.body.length !== 0 && method !== 'GET' && method !== 'HEAD';
}

/** Most hosts that are remembered: an application has few, a stranger can make up any number. */
const maxOrigins = 256;
/** Origins by host as the client wrote it, null where that is none; one list for each scheme. */
const origins = { http: new Map<string, string | null>(), https: new Map<string, string | null>() };

/** "scheme://host", normalised, or null when no URL can have that host. */
export function findOrigin(fields: Fields): string | null {
  const scheme = getField(fields, 'x-forwarded-proto') === 'https' ? 'https' : 'http';
  const authority = getField(fields, 'x-forwarded-host');
  const known = origins[scheme];
  const host = isAuthority(authority) ? authority : (getField(fields, 'host') ?? '');
  const origin = known.get(host);
  if (origin !== undefined) return origin;
  if (known.size === maxOrigins) known.clear();
  const found = parseOrigin(`${scheme}://${isAuthority(host) ? host : 'localhost'}`);
  known.set(host, found);
  return found;
}

/** Any other byte could move the end of the host, and with it the path. */
function isAuthority(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9._~%:[\]-]+$/.test(text);
}

function parseOrigin(origin: string): string | null {
  try {
    return new URL(origin).origin;
  } catch {
    return null;
  }
}

/** What a URL parser would change: characters that it encodes, and dot segments. */
const unsettled = /[^\w~!$&()*+,;=:@/?%.-]|\/\.|%2e/i;

/** The URL as the client wrote it, normalised as every URL is: scheme and host from the origin, the rest from the target. */
export function toUrl(origin: string, target: string): string {
  if (!target.startsWith('/')) return new URL(`${origin}/${target}`).href;
  // A number sign of the path would begin a fragment.
  return unsettled.test(target) ? new URL(origin + target.replaceAll('#', '%23')).href : origin + target;
}

/** The fields of the message as web Headers, those of the connection left out. */
export function toWebHeaders(fields: Fields): LeanHeaders {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!connectionFields.has(fields[i].toLowerCase())) kept.push(fields[i], fields[i + 1]);
  }
  return wrapFields(kept);
}

/** The client's address as the server in front tells it; "unix:" when it does not. */
export function findClientAddress(fields: Fields): string {
  const direct = getField(fields, 'x-real-ip');
  if (direct !== undefined && direct !== '') return direct;
  const chain = getField(fields, 'x-forwarded-for') ?? '';
  return chain.slice(chain.lastIndexOf(',') + 1).trim() || 'unix:';
}
