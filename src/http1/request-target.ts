// The four forms of a request target (RFC 9112 3.2) and the Host field that goes with them, reduced to
// origin-form and one host. Any doubt about which host is meant is a 400.

import type { Fields } from '../message/fields.ts';
import { isFieldName } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import { hostTable } from './character-tables.ts';
import type { RequestHead } from './parse-request-head.ts';

/** Where a request goes. */
export interface RequestTarget {
  /** Origin-form ("/path?query"), or "*" for OPTIONS. */
  readonly target: string;
  /** Lower case, no port, no trailing dot; "" when HTTP/1.0 named none. */
  readonly host: string;
}

/** Throws an HttpError: TSS_HOST, TSS_REQUEST_TARGET, or TSS_METHOD for CONNECT. */
export function resolveRequestTarget(head: RequestHead): RequestTarget {
  const field = findHost(head.fields);
  if (field === null && head.httpVersion === '1.1') throw new HttpError('TSS_HOST', 'no Host field');
  const host = field === null ? '' : parseHost(field);
  const { method, target } = head;
  if (method === 'CONNECT')
    throw new HttpError('TSS_METHOD', 'CONNECT: this is no forward proxy', ['Allow', 'GET, HEAD']);
  if (target.charCodeAt(0) === 0x2f) return { target, host };
  if (target === '*' && method === 'OPTIONS') return { target, host };
  return resolveAbsoluteForm(target, field, host);
}

function resolveAbsoluteForm(target: string, field: string | null, host: string): RequestTarget {
  const match = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
  if (match === null) throw new HttpError('TSS_REQUEST_TARGET', 'neither a path nor an http URI');
  const [, authority, rest] = match;
  const named = parseAuthority(authority);
  // RFC 9112 3.2.2 would let the target win; two hosts in one request are an attack on whoever believes the other.
  if (field !== null && field.toLowerCase() !== authority.toLowerCase()) {
    throw new HttpError('TSS_HOST', 'Host differs from the authority of the target');
  }
  if (rest === '') return { target: '/', host: named };
  return { target: rest.startsWith('?') ? `/${rest}` : rest, host: host || named };
}

function findHost(fields: Fields): string | null {
  let found: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i].length !== 4 || !isFieldName(fields[i], 'host')) continue;
    if (found !== null) throw new HttpError('TSS_HOST', 'two Host fields');
    found = fields[i + 1];
  }
  return found;
}

let lastField = '';
let lastHost = '';

/** Nearly every request names the host that the one before it named. */
function parseHost(field: string): string {
  if (field !== lastField || field === '') {
    lastHost = parseAuthority(field);
    lastField = field;
  }
  return lastHost;
}

/** uri-host [ ":" port ] (RFC 9110 7.2), without userinfo. Returns the host in canonical form. Throws TSS_HOST. */
export function parseAuthority(authority: string): string {
  if (authority.charCodeAt(0) === 0x5b) return parseLiteral(authority);
  let end = 0;
  while (hostTable[authority.charCodeAt(end)] === 1) end++;
  if (end === 0 || end > 255 || authority.charCodeAt(0) === 0x2e) {
    throw new HttpError('TSS_HOST', 'no host, or one with a byte that none may hold');
  }
  checkPort(authority, end);
  const host = (end === authority.length ? authority : authority.slice(0, end)).toLowerCase();
  if (host.includes('..')) throw new HttpError('TSS_HOST', 'a host with an empty label');
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

function parseLiteral(authority: string): string {
  const match = /^\[[0-9a-f:.]{2,45}\]/i.exec(authority);
  if (match === null) throw new HttpError('TSS_HOST', 'a malformed IP literal');
  checkPort(authority, match[0].length);
  return match[0].toLowerCase();
}

function checkPort(authority: string, start: number): void {
  if (start === authority.length) return;
  const port = /^:([0-9]{0,5})$/.exec(authority.slice(start));
  if (port === null || Number(port[1]) > 65535) throw new HttpError('TSS_HOST', 'a malformed port or host');
}
