// A body that is at hand, as a text or as bytes, and what the members of the web standard's Body make of it. Nothing
// here is a stream.

import { types } from 'node:util';

/** A body at hand: what the text was before it became UTF-8, or bytes that nobody else can change. */
export type KeptBody = string | Uint8Array;

/**
 * What can be kept of the body that a Response is made of: texts, copies of buffers, null for none. Undefined for
 * everything else, which is for the platform to read, or to refuse.
 */
export function keepBody(body: unknown): KeptBody | null | undefined {
  if (typeof body === 'string') return body;
  if (body === null || body === undefined) return null;
  if (types.isArrayBuffer(body)) return copyBytes(body, 0, body.byteLength);
  if (!ArrayBuffer.isView(body) || !types.isArrayBuffer(body.buffer)) return undefined;
  return copyBytes(body.buffer, body.byteOffset, body.byteLength);
}

/** One without bytes may be detached. Which of those, and which resizable ones, are good is the platform's to say. */
function copyBytes(buffer: ArrayBuffer, start: number, length: number): Uint8Array | undefined {
  if (length === 0 || (buffer as { resizable?: boolean }).resizable === true) return undefined;
  return new Uint8Array(buffer.slice(start, start + length));
}

/** Bytes in all. */
export function measureBody(body: KeptBody): number {
  return typeof body === 'string' ? Buffer.byteLength(body, 'utf8') : body.length;
}

/** The body as the bytes that go over the wire. Not to be changed. */
export function toWireBytes(body: KeptBody): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
}

/** What `text()` gives: decoded as UTF-8 after it was encoded as such, a byte order mark at its start removed. */
export function toText(body: KeptBody | null): string {
  if (body === null) return '';
  const text = typeof body === 'string' ? toWellFormed(body) : decode(body);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** Lone surrogates have no UTF-8 form. */
function toWellFormed(text: string): string {
  return /\p{Surrogate}/u.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
}

/** What `arrayBuffer()` gives: bytes of the caller's own. */
export function toArrayBuffer(body: KeptBody | null): ArrayBuffer {
  if (body === null) return new ArrayBuffer(0);
  if (typeof body === 'string') return new TextEncoder().encode(body).buffer as ArrayBuffer;
  return body.buffer.slice(body.byteOffset, body.byteOffset + body.length) as ArrayBuffer;
}
