// Turns decoded paths and computed texts into what may stand in a Location field. Whatever goes in, what comes out
// is printable ASCII without spaces: no new field, no second response (RFC 9110 10.2.2, RFC 3986).

import { percentEncode } from './percent-encoding.ts';

const pathUnsafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/gu;
const uriUnsafe = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]/gu;

/**
 * Percent-encodes a decoded path (`Exchange.path`). Bytes kept as lone surrogates U+DC80..U+DCFF become the bytes
 * they were; "%", "?" and "#" are encoded, "/" is not.
 */
export function encodePath(path: string): string {
  return path.replace(pathUnsafe, percentEncode);
}

/**
 * Percent-encodes what may not stand in a URI at all (RFC 3986 2): controls, spaces, quotes, angle brackets,
 * backslash, non-ASCII. What is encoded already stays as it is.
 */
export function encodeUri(uri: string): string {
  return uri.replace(uriUnsafe, percentEncode);
}

/**
 * A path with query as a reference that can't leave the site: it begins with exactly one "/". Browsers take "//"
 * and "/\" at the start for the name of another host. `path` is decoded, `query` is as received ("" for none).
 */
export function toLocalReference(path: string, query: string): string {
  const reference = encodePath(collapseLeadingSlashes(path));
  return query === '' ? reference : `${reference}?${encodeUri(query)}`;
}

/** Replaces slashes and backslashes at the start by one slash. */
export function collapseLeadingSlashes(path: string): string {
  return path.replace(/^[/\\]*/, '/');
}
