// From a Response of ours whose body is at hand to a Reply: at once, without a stream or a promise. Every other one is
// left to to-reply, which also knows what to complain of.

import { Reply } from '../message/reply.ts';
import { measureBody, toWireBytes } from './kept-body.ts';
import { peekKeptResponse, takeKeptBody } from './lean-response.ts';
import { DeclaredBody } from './response-body.ts';
import { framingFields } from './to-reply.ts';

/** The Reply to a request of that method, or null for what a gateway function may also return. */
export function toKeptReply(returned: unknown, method: string): Reply | null {
  const response = peekKeptResponse(returned);
  if (response === null) return null;
  const { status, body } = response;
  let { fields } = response;
  let length: number | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i].toLowerCase();
    if (!framingFields.has(name)) continue;
    if (name !== 'content-length' || length !== null) return null;
    length = body === null ? 0 : measureBody(body);
    // What a wrong one leads to is to-reply's to say.
    if (fields[i + 1] !== String(length)) return null;
    fields = fields.toSpliced(i, 2);
    i -= 2;
  }
  takeKeptBody(response);
  if (method === 'HEAD' || status === 204 || status === 304) {
    return new Reply(status, fields, { kind: 'stream', source: new DeclaredBody(length) });
  }
  if (body === null || body.length === 0) return new Reply(status, fields, null);
  return new Reply(status, fields, { kind: 'bytes', bytes: toWireBytes(body) });
}
