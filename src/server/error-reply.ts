// Errors become replies here and nowhere else. The client learns the status; the detail is for the log.

import { STATUS_CODES } from 'node:http';
import type { HttpError } from '../message/http-error.ts';
import { createTextReply, Reply } from '../message/reply.ts';

/** One reply per status serves all errors that carry no fields of their own. */
const sharedReplies = new Map<number, Reply>();

/** The reply to a failed request. */
export function createErrorReply(error: HttpError): Reply {
  const { status, fields } = error;
  if (fields.length > 0) return createTextReply(status, renderText(status), fields);
  let reply = sharedReplies.get(status);
  if (reply === undefined) {
    const { fields: own, body } = createTextReply(status, renderText(status));
    reply = new Reply(status, own, body, true);
    sharedReplies.set(status, reply);
  }
  return reply;
}

function renderText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Error'}\n`;
}
