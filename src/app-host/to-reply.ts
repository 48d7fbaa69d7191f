// From the web Response of a gateway function to a Reply. A body that is complete at once (text, JSON, bytes) becomes
// one piece of known length; one that comes bit by bit is streamed from its first byte on.

import type { Fields } from '../message/fields.ts';
import { Reply, type ReplyBody } from '../message/reply.ts';
import { beginRead, cancelQuietly, DeclaredBody, type ReadResult, ResponseBody } from './response-body.ts';

/** What the application returned is not what the interface asks for. */
export class ResponseError extends TypeError {
  override readonly name = 'ResponseError';
}

/** Fields that frame the message or concern the connection: the protocol's, never an application's. */
export const framingFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Larger bodies are streamed: two chunks of them are not joined in memory. */
const maxWholeBytes = 64 * 1024;
/** Turns of the microtask queue that a body made of a string or of bytes may need; a stream that waits needs more. */
const patienceTurns = 12;

/** Converts what a gateway function returned. Rejects with a {@link ResponseError} when that is no usable Response. */
export async function toReply(returned: unknown, method: string): Promise<Reply> {
  const response = checkResponse(returned);
  const fields = toFields(response.headers);
  const length = parseDeclaredLength(response.headers.get('content-length'));
  const { body, status } = response;
  if (method === 'HEAD' || status === 204 || status === 304) {
    if (body !== null) cancelQuietly(body);
    // Undeclared is unknown: a HEAD that said 0 would lie about what a GET brings (RFC 9110 8.6).
    return new Reply(status, fields, { kind: 'stream', source: new DeclaredBody(length) });
  }
  if (body === null) {
    if (length !== null && length > 0)
      throw new ResponseError(`the Response declares ${length} bytes but has no body`);
    return new Reply(status, fields, null);
  }
  return new Reply(status, fields, await toReplyBody(body.getReader(), length));
}

function checkResponse(returned: unknown): Response {
  const response = returned as Partial<Response> | null | undefined;
  if (typeof response !== 'object' || response === null || typeof response.status !== 'number') {
    throw new ResponseError(`the gateway function returned ${describeReturned(returned)}, not a Response`);
  }
  if (!Number.isInteger(response.status) || response.status < 200 || response.status > 599) {
    throw new ResponseError(
      `the gateway function returned a Response of status ${response.status}, not 200 to 599`,
    );
  }
  if (typeof response.headers?.forEach !== 'function') {
    throw new ResponseError('the gateway function returned a Response without headers');
  }
  if (response.bodyUsed) throw new ResponseError('the body of the returned Response was already read');
  const { body } = response;
  if (body !== null && typeof body?.getReader !== 'function') {
    throw new ResponseError('the body of the returned Response is no web stream');
  }
  if (body?.locked) throw new ResponseError('the body of the returned Response is locked to a reader');
  return response as Response;
}

function describeReturned(returned: unknown): string {
  if (returned === null || returned === undefined) return String(returned);
  if (typeof returned !== 'object') return `a ${typeof returned}`;
  return `an object of ${returned.constructor?.name ?? 'no class'}`;
}

/** The fields in their order, several Set-Cookie each by itself, those of the framing left out. */
export function toFields(headers: Headers): Fields {
  const fields: Fields = [];
  const isChecked = headers instanceof Headers;
  for (const [name, value] of headers) {
    if (!isChecked) checkField(name, value);
    if (!framingFields.has(isChecked ? name : name.toLowerCase())) fields.push(name, value);
  }
  return fields;
}

/** What the platform's Headers assure: other classes may hold anything. Values are made safe where they are written. */
function checkField(name: unknown, value: unknown): void {
  if (typeof name === 'string' && typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name)) return;
  throw new ResponseError('the Response has a header that is no pair of a field name and a text');
}

function parseDeclaredLength(value: string | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (!/^\d{1,15}$/.test(value)) throw new ResponseError(`the Response declares a length of "${value}"`);
  return Number(value);
}

async function toReplyBody(
  reader: ReadableStreamDefaultReader<unknown>,
  length: number | null,
): Promise<ReplyBody> {
  const first = beginRead(reader);
  const chunk = await takeIfSettled(first);
  const stream = (...begun: Promise<ReadResult>[]): ReplyBody => ({
    kind: 'stream',
    source: new ResponseBody(reader, length, begun),
  });
  if (chunk === null) return stream(first);
  if (chunk.done) return length === null || length === 0 ? null : stream(first);
  const { value } = chunk;
  if (!(value instanceof Uint8Array) || value.length > maxWholeBytes) return stream(first);
  const second = beginRead(reader);
  const end = await takeIfSettled(second);
  if (end === null || !end.done || (length !== null && length !== value.length)) return stream(first, second);
  return { kind: 'bytes', bytes: value };
}

/** The result of a promise that settles without waiting for anything outside; null for any other. */
async function takeIfSettled<T>(promise: Promise<T>): Promise<T | null> {
  let result: T | null = null;
  let settled = false;
  promise.then(
    (value) => {
      result = value;
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let turn = 0; turn < patienceTurns && !settled; turn++) await null;
  return result;
}
