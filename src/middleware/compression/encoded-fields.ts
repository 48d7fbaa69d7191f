// What compression changes in the header of a reply. Tags: an encoded body has the tag of the plain one, weak (it may
// be compressed anew, into other bytes) and with the coding as suffix (no cache takes one coding for another).

import type { ContentCoding } from '../../message/accept-encoding.ts';
import { type Fields, getField, isFieldName, removeField, setField } from '../../message/fields.ts';

const taggedValue = /^(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;
const weakTag = /W\/"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** Turns the fields of a plain body, which has its Vary already, into those of an encoded one, in place. */
export function markEncoded(fields: Fields, encoding: ContentCoding): void {
  // Positions in the encoded body mean nothing the next time.
  removeField(fields, 'accept-ranges');
  fields.push('Content-Encoding', encoding);
  suffixTag(fields, encoding);
}

/** Puts the encoded body's tag in the place of the plain one's. What is no entity tag is taken away. */
export function suffixTag(fields: Fields, encoding: ContentCoding): void {
  const tag = getField(fields, 'etag');
  if (tag === undefined) return;
  const match = taggedValue.exec(tag);
  if (match === null) removeField(fields, 'etag');
  else setField(fields, 'ETag', toEncodedTag(match[1], encoding));
}

/**
 * If-None-Match with the plain tag behind each encoded one, so that a handler that knows nothing of codings finds its
 * own; the same text when it names no body in this coding.
 */
export function addPlainTags(ifNoneMatch: string, encoding: ContentCoding): string {
  const suffix = `-${encoding}`;
  if (!ifNoneMatch.includes(`${suffix}"`)) return ifNoneMatch;
  return ifNoneMatch.replaceAll(weakTag, (tag, opaque: string) =>
    opaque.endsWith(suffix) ? `${tag}, W/"${opaque.slice(0, -suffix.length)}"` : tag,
  );
}

/** Whether the client has the reply's body in this coding, as its If-None-Match says. */
export function namesEncoded(ifNoneMatch: string, fields: Fields, encoding: ContentCoding): boolean {
  const match = taggedValue.exec(getField(fields, 'etag') ?? '');
  return match !== null && ifNoneMatch.includes(toEncodedTag(match[1], encoding));
}

/** The position of the value of a field, or -1. Several fields of that name count as none. */
export function findSingle(fields: Fields, lowerName: string): number {
  let found = -1;
  for (let i = 0; i < fields.length; i += 2) {
    if (!isFieldName(fields[i], lowerName)) continue;
    if (found !== -1) return -1;
    found = i + 1;
  }
  return found;
}

function toEncodedTag(opaque: string, encoding: ContentCoding): string {
  return `W/"${opaque}-${encoding}"`;
}
