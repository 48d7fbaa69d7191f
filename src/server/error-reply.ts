// Errors become replies here and nowhere else. The client learns the status; the detail is for the log.

import { STATUS_CODES } from 'node:http';
import type { HttpError } from '../message/http-error.ts';
import { createTextReply, Reply } from '../message/reply.ts';

/** One reply per status serves all errors that carry no fields of their own. */
const sharedReplies = new Map<number, Reply>();

/** The replies to errors that fail many requests, and carry fields. */
const repliesToShared = new WeakMap<HttpError, Reply>();

/** The reply to a failed request. */
export function createErrorReply(error: HttpError): Reply {
  const { status, fields, shared } = error;
  if (fields.length > 0 && !shared) return createTextReply(status, renderText(status), fields);
  const known = fields.length > 0 ? repliesToShared.get(error) : sharedReplies.get(status);
  if (known !== undefined) return known;
  const { fields: own, body } = createTextReply(status, renderText(status), fields);
  const reply = new Reply(status, own, body, true);
  if (fields.length > 0) repliesToShared.set(error, reply);
  else sharedReplies.set(status, reply);
  return reply;
}

function renderText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Error'}\n`;
}
