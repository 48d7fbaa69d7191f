// Looks at an answer to the byte before anything is timed: a fast wrong answer is worth nothing.

import { createHash } from 'node:crypto';
import { parseReplies, type RawReply, readField } from '../support/parse-replies.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import type { Answer } from './site-content.ts';

/** A request. */
export interface Question {
  readonly path: string;
  /** Field lines beside Host and Content-Length. */
  readonly fields: readonly string[];
  /** Sent with POST. */
  readonly body?: Buffer | undefined;
}

/** Asks once and throws, with the difference in words, when the answer is not what it must be. Gives the answer. */
export async function checkAnswer(
  port: number,
  { path, fields, body }: Question,
  expected: Answer,
): Promise<RawReply> {
  const raw = await openRawSocket(port);
  const head = [
    `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    ...fields,
  ];
  if (body !== undefined) head.push(`Content-Length: ${body.length}`);
  await raw.send(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body ?? Buffer.alloc(0)]));
  if (expected.closes) await raw.readUntilClose();
  else await raw.readReplies(1);
  raw.destroy();
  const replies = parseReplies(raw.received, [], expected.closes);
  const difference =
    replies.length === 1 ? findDifference(replies[0], expected) : `${replies.length} answers`;
  if (difference !== null) throw new Error(`the answer to ${path} is wrong: ${difference}`);
  return replies[0];
}

/** What is wrong with an answer, or null. */
export function findDifference(reply: RawReply, { status, body, type, closes }: Answer): string | null {
  if (reply.status !== status) return `status ${reply.status}, not ${status}`;
  if (!reply.complete) return 'the body is cut';
  const connection = readField(reply, 'connection')?.toLowerCase();
  if ((connection === 'close') !== (closes ?? false)) return `"Connection: ${connection}"`;
  if (status === 304 && readField(reply, 'etag') === undefined) return 'a 304 without ETag';
  const media = readField(reply, 'content-type')?.toLowerCase();
  if (type !== undefined && media !== type) return `"Content-Type: ${media}"`;
  if (body === null) return null;
  if (reply.body.length !== body.length) return `${reply.body.length} bytes, not ${body.length}`;
  return toHash(reply.body) === toHash(body) ? null : 'other bytes';
}

function toHash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
