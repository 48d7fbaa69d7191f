// Which replies may be compressed at all: by status, fields and length. What the request has to say comes later.

import { type Fields, hasToken, isFieldName } from '../../message/fields.ts';
import { getReplyLength, type Reply } from '../../message/reply.ts';
import { compileTypes } from './compressible-types.ts';
import type { CompressionSettings } from './merge-compression.ts';

// Whoever vouches for the bytes of a body vouches for the encoded ones (RFC 9530 2): they had better stay.
const vouchingFields: ReadonlySet<string> = new Set(
  'content-digest repr-digest digest content-md5 signature'.split(' '),
);

/** What can be done with a reply: "vary" only says that it depends on Accept-Encoding, as another part of it would. */
export type Verdict = 'encode' | 'vary' | 'leave';

/** Compiles what the settings say of replies. A 304 mostly does not tell its type, and is taken for one that varies. */
export function compileVerdict(settings: CompressionSettings): (reply: Reply) => Verdict {
  const isListed = compileTypes(settings.types);
  const { minSize } = settings;
  return (reply) => {
    const { status, fields, body } = reply;
    if (status === 304) return isTransformable(fields, isListed, true) ? 'vary' : 'leave';
    if (status < 200 || status === 204 || status === 205 || body === null || body.kind === 'tunnel')
      return 'leave';
    if (!isTransformable(fields, isListed, false)) return 'leave';
    if (status === 206) return 'vary';
    const length = getReplyLength(body);
    return length === null || length >= minSize ? 'encode' : 'leave';
  };
}

function isTransformable(
  fields: Fields,
  isListed: (contentType: string) => boolean,
  withoutType: boolean,
): boolean {
  let isOfType = withoutType;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    const value = fields[i + 1];
    if (isFieldName(name, 'content-type')) {
      if (!isListed(value)) return false;
      isOfType = true;
    } else if (isFieldName(name, 'content-encoding')) {
      return false;
    } else if (isFieldName(name, 'cache-control')) {
      if (hasToken(value, 'no-transform')) return false;
    } else if (vouchingFields.has(name.toLowerCase())) return false;
  }
  return isOfType;
}
