// From an Exchange to the web Request that a gateway function is called with. The server in front has settled who the
// client is and what it asked for; its word about that (X-Forwarded-*) is taken, for nobody else can reach the socket.

import type { Exchange } from '../message/exchange.ts';
import { type Fields, getField } from '../message/fields.ts';

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

/** Makes the Request. `body` is null when there is none. Throws a TypeError for what no Request can express. */
export function toWebRequest(
  exchange: Exchange,
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): Request {
  const { method } = exchange;
  return new Request(toAbsoluteUrl(exchange.fields, exchange.target), {
    method,
    headers: toWebHeaders(exchange.fields),
    signal,
    ...(body === null ? {} : { body, duplex: 'half' }),
  });
}

/** Whether a Request can carry the body of this exchange: there is one, and the method may have one. */
export function hasWebBody(exchange: Exchange): boolean {
  return exchange.body.length !== 0 && exchange.method !== 'GET' && exchange.method !== 'HEAD';
}

/** The URL as the client wrote it: scheme and host from the server in front, the rest from the target. */
export function toAbsoluteUrl(fields: Fields, target: string): string {
  const scheme = getField(fields, 'x-forwarded-proto') === 'https' ? 'https' : 'http';
  const path = target.startsWith('/') ? target.replaceAll('#', '%23') : `/${target}`;
  return `${scheme}://${findAuthority(fields)}${path}`;
}

function findAuthority(fields: Fields): string {
  for (const name of ['x-forwarded-host', 'host']) {
    const value = getField(fields, name);
    // Any other byte could move the end of the host, and with it the path.
    if (value !== undefined && /^[A-Za-z0-9._~%:[\]-]+$/.test(value)) return value;
  }
  return 'localhost';
}

/** The fields of the message as web Headers: repeated ones joined, those of the connection left out. */
export function toWebHeaders(fields: Fields): Headers {
  const headers = new Headers();
  for (let i = 0; i < fields.length; i += 2) {
    if (!connectionFields.has(fields[i].toLowerCase())) headers.append(fields[i], fields[i + 1]);
  }
  return headers;
}

/** The client's address as the server in front tells it; "unix:" when it does not. */
export function findClientAddress(fields: Fields): string {
  const direct = getField(fields, 'x-real-ip');
  if (direct !== undefined && direct !== '') return direct;
  const chain = getField(fields, 'x-forwarded-for') ?? '';
  return chain.slice(chain.lastIndexOf(',') + 1).trim() || 'unix:';
}
