// Which fields go through, in either direction. A request's become variables, so that a name has to be told from every
// other one when it is written as a variable; what a client may not say about itself, it cannot say here either.

import { type Fields, isFieldName, joinField } from '../../message/fields.ts';

/**
 * Of a request: what belongs to one connection (RFC 9110 7.6.1) or was meant for us; what has a variable of its own;
 * and Proxy, since many programs take HTTP_PROXY for the address of their proxy.
 */
const requestNames: ReadonlySet<string> = new Set(
  (
    'connection keep-alive proxy-connection te trailer transfer-encoding upgrade http2-settings expect ' +
    'content-length content-type proxy proxy-authenticate proxy-authorization ' +
    'x-request-id x-sendfile x-sendfile-type'
  ).split(' '),
);

/** Of a response: what frames or belongs to a connection, what is ours to say, and words between a site and its server. */
const responseNames: ReadonlySet<string> = new Set(
  (
    'connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length server ' +
    'proxy-authenticate proxy-authentication-info x-sendfile'
  ).split(' '),
);

/** Any other character would become "_", or what each peer thinks of it: two names would be one variable. */
const plainName = /^[a-z0-9-]+$/;

/** Calls back for each variable that the fields of a request become: "HTTP_ACCEPT_LANGUAGE", each name once. */
export function forEachFieldVariable(
  fields: Fields,
  isTrusted: boolean,
  onVariable: (name: string, value: string) => void,
): void {
  const nominated = listNominated(fields);
  for (let i = 0; i < fields.length; i += 2) {
    const lowerName = fields[i].toLowerCase();
    if (!isPassedOn(lowerName, isTrusted) || nominated?.includes(lowerName)) continue;
    const first = findFirst(fields, lowerName);
    if (first < i) continue;
    onVariable(`HTTP_${lowerName.toUpperCase().replaceAll('-', '_')}`, joinFrom(fields, i, lowerName));
  }
}

function isPassedOn(lowerName: string, isTrusted: boolean): boolean {
  if (requestNames.has(lowerName) || lowerName.startsWith('x-accel-') || !plainName.test(lowerName))
    return false;
  return isTrusted || !isForwardingField(lowerName);
}

/** Whether a field says where a request came from: believed only from a proxy that is trusted. */
function isForwardingField(lowerName: string): boolean {
  return (
    lowerName === 'forwarded' ||
    lowerName === 'x-real-ip' ||
    lowerName === 'x-rewrite-url' ||
    lowerName.startsWith('x-forwarded-') ||
    lowerName.startsWith('x-original-')
  );
}

function listNominated(fields: Fields): string[] | null {
  const connection = joinField(fields, 'connection');
  if (connection === undefined) return null;
  // Host names the site: no client has it taken away.
  return connection
    .toLowerCase()
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== 'host');
}

function findFirst(fields: Fields, lowerName: string): number {
  let i = 0;
  while (!isFieldName(fields[i], lowerName)) i += 2;
  return i;
}

/** RFC 9110 5.3; cookies have a separator of their own (RFC 9113 8.2.3). */
function joinFrom(fields: Fields, first: number, lowerName: string): string {
  let joined = fields[first + 1];
  const separator = lowerName === 'cookie' ? '; ' : ', ';
  for (let i = first + 2; i < fields.length; i += 2) {
    if (isFieldName(fields[i], lowerName)) joined += separator + fields[i + 1];
  }
  return joined;
}

/** The fields of a response that the client may see. */
export function copyResponseFields(fields: Fields): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const lowerName = fields[i].toLowerCase();
    if (responseNames.has(lowerName) || lowerName.startsWith('x-accel-')) continue;
    kept.push(fields[i], fields[i + 1]);
  }
  return kept;
}
