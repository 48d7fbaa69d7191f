// A Reply's head as bytes, and how its body is framed (RFC 9112 6). The only place that writes Content-Length,
// Transfer-Encoding and Connection. Moving the body is for reply-writer.ts.

import { STATUS_CODES } from 'node:http';
import { epochSecond, httpDate } from '../base/clock.ts';
import { type Fields, hasField } from '../message/fields.ts';
import { getReplyLength, type Reply } from '../message/reply.ts';

/** How a reply leaves on one connection. */
export interface ReplyFraming {
  /** Whether body bytes follow the head. */
  readonly sendsBody: boolean;
  /** Bytes announced in Content-Length; null for none. */
  readonly length: number | null;
  readonly chunked: boolean;
  /** Whether the connection goes on behind this reply. */
  readonly keepAlive: boolean;
  /** Whether HTTP/1.0 must be told that it does. */
  readonly saysKeepAlive: boolean;
}

/** What the request says about the framing of its answer. */
export interface ReplyContext {
  readonly method: string;
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** Whether both sides would keep the connection. */
  readonly keepAlive: boolean;
}

/** Decides the framing of a reply (RFC 9112 6.3, seen from the sender). */
export function decideReplyFraming(reply: Reply, context: ReplyContext): ReplyFraming {
  const isOld = context.httpVersion === '1.0';
  const length = getReplyLength(reply.body);
  const { status } = reply;
  if (status === 204 || status === 304) return bodiless(null, context.keepAlive, isOld);
  if (context.method === 'HEAD') return bodiless(length, context.keepAlive, isOld);
  if (status === 205) return bodiless(0, context.keepAlive, isOld);
  const keepAlive = context.keepAlive && (length !== null || !isOld);
  return {
    sendsBody: length !== 0,
    length,
    chunked: length === null && !isOld,
    keepAlive,
    saysKeepAlive: keepAlive && isOld,
  };
}

function bodiless(length: number | null, keepAlive: boolean, isOld: boolean): ReplyFraming {
  return { sendsBody: false, length, chunked: false, keepAlive, saysKeepAlive: keepAlive && isOld };
}

const statusLines = Array.from({ length: 600 }, (_, status) => {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
});

/** Renders status line and fields, empty line included, as a latin1 string. */
export function renderReplyHead(reply: Reply, framing: ReplyFraming): string {
  const { fields } = reply;
  let head = statusLines[reply.status];
  if (!hasField(fields, 'server')) head += 'Server: tsserve\r\n';
  if (!hasField(fields, 'date')) head += `Date: ${httpDate()}\r\n`;
  head += renderFieldLines(fields);
  if (framing.length !== null) head += `Content-Length: ${framing.length}\r\n`;
  if (framing.chunked) head += 'Transfer-Encoding: chunked\r\n';
  if (!framing.keepAlive) head += 'Connection: close\r\n';
  else if (framing.saysKeepAlive) head += 'Connection: keep-alive\r\n';
  return `${head}\r\n`;
}

/** Renders fields as latin1 lines, each with its CRLF. */
export function renderFieldLines(fields: Fields): string {
  let lines = '';
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${toWireValue(fields[i + 1])}\r\n`;
  return lines;
}

const unsafeInValue = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * A value that is safe on the wire. Characters beyond latin1 go as UTF-8 bytes (writing them as latin1 would cut them
 * to a byte, which may be CR or LF); control bytes become spaces.
 */
function toWireValue(value: string): string {
  if (!unsafeInValue.test(value)) return value;
  return Buffer.from(value, 'utf8')
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}

/** A shared reply as it goes to keep-alive HTTP/1.1 clients, rendered once a second. */
interface RenderedReply {
  second: number;
  /** Head and body. */
  whole: Buffer | null;
  /** Head alone, for HEAD. */
  head: Buffer | null;
}

/**
 * The complete bytes of a shared reply for a keep-alive HTTP/1.1 client, or null when its body is not at hand.
 * Nothing is built per request: one buffer a second, for its Date.
 */
export function renderSharedReply(reply: Reply, isHead: boolean): Buffer | null {
  const { body } = reply;
  if (body !== null && body.kind !== 'bytes') return null;
  const second = epochSecond();
  let rendered = reply.rendered as RenderedReply | null;
  if (rendered === null || rendered.second !== second) {
    rendered = { second, whole: null, head: null };
    reply.rendered = rendered;
  }
  const known = isHead ? rendered.head : rendered.whole;
  if (known !== null) return known;
  const method = isHead ? 'HEAD' : 'GET';
  const framing = decideReplyFraming(reply, { method, httpVersion: '1.1', keepAlive: true });
  const head = renderReplyHead(reply, framing);
  const buffer =
    body === null || !framing.sendsBody ? Buffer.from(head, 'latin1') : joinHead(head, body.bytes);
  if (isHead) rendered.head = buffer;
  else rendered.whole = buffer;
  return buffer;
}

/** Head and body in one buffer: one write, one packet. */
export function joinHead(head: string, body: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafe(head.length + body.length);
  buffer.write(head, 0, 'latin1');
  buffer.set(body, head.length);
  return buffer;
}
