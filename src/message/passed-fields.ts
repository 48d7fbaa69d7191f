// Which fields end at this hop, in either direction: those that belong to one connection, those that only we may
// write, and those that mean something inside a site. What a program needs besides is its handler's.

import type { Fields } from './fields.ts';
import { joinField } from './fields.ts';

const hopByHopNames =
  'connection keep-alive proxy-connection te trailer transfer-encoding upgrade http2-settings content-length';

/** RFC 9110 7.6.1, and what framed the message: both are the protocol rooms' to write anew. In lower case. */
export const hopByHopFields: ReadonlySet<string> = new Set(hopByHopNames.split(' '));

/**
 * Of a request: also what was meant for us (Expect, Proxy-*), what we write ourselves, and Proxy, which some programs
 * take for an environment variable.
 */
const requestNames: ReadonlySet<string> = new Set(
  `${hopByHopNames} expect proxy proxy-authenticate proxy-authorization x-request-id x-sendfile x-sendfile-type`.split(
    ' ',
  ),
);

const responseNames: ReadonlySet<string> = new Set(
  `${hopByHopNames} server proxy-authenticate proxy-authentication-info x-sendfile`.split(' '),
);

/** By which proxies and networks for delivery tell the client's address and scheme, beside X-Forwarded-*. */
const forwardingNames: ReadonlySet<string> = new Set(
  (
    'forwarded x-forwarded x-real-ip x-rewrite-url x-client-ip x-cluster-client-ip x-remote-ip x-remote-addr ' +
    'x-originating-ip x-scheme x-url-scheme x-azure-clientip x-appengine-user-ip x-envoy-external-address ' +
    'front-end-https client-ip true-client-ip wl-proxy-client-ip cf-connecting-ip cf-connecting-ipv6 fastly-client-ip'
  ).split(' '),
);

/** Whether a request field goes no further. A name with "_" looks like another one to CGI-like programs. */
export function isDroppedFromRequest(lowerName: string): boolean {
  return requestNames.has(lowerName) || lowerName.includes('_') || lowerName.startsWith('x-accel-');
}

/** Whether a request field says where a request came from: believed only from a proxy that is trusted. */
export function isForwardingField(lowerName: string): boolean {
  if (forwardingNames.has(lowerName)) return true;
  return (
    lowerName.charCodeAt(0) === 0x78 &&
    (lowerName.startsWith('x-forwarded-') || lowerName.startsWith('x-original-'))
  );
}

/** Whether a response field is none of the client's business, unless a config says otherwise. */
export function isDroppedFromResponse(lowerName: string): boolean {
  return responseNames.has(lowerName) || lowerName.startsWith('x-accel-');
}

/** The fields of a response that the client may see. */
export function copyResponseFields(fields: Fields): Fields {
  const nominated = listNominated(fields);
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const lowerName = fields[i].toLowerCase();
    if (isDroppedFromResponse(lowerName) || nominated?.includes(lowerName)) continue;
    kept.push(fields[i], fields[i + 1]);
  }
  return kept;
}

/** Names that the Connection fields nominate, in lower case; null when there is nothing to look for. */
export function listNominated(fields: Fields): string[] | null {
  const connection = joinField(fields, 'connection');
  if (connection === undefined) return null;
  const lower = connection.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return null;
  return lower.split(',').map((option) => option.trim());
}
