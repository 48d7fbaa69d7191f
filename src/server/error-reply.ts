// Errors become replies here and nowhere else. The client learns the status; the detail is for the log.

import { addVary } from '../message/add-vary.ts';
import type { Exchange } from '../message/exchange.ts';
import { type Fields, joinField } from '../message/fields.ts';
import { Reply } from '../message/reply.ts';
import { chooseErrorType, type ErrorType, errorPolicy, renderError } from './error-document.ts';

/** What went wrong, as far as a client may know: an HttpError, as a rule. */
export interface Failure {
  readonly status: number;
  /** Fields that the reply must carry. */
  readonly fields: Fields;
  /** Whether it fails many requests, and its reply may be kept. */
  readonly shared: boolean;
}

interface KeptReplies {
  /** One reply per status serves all errors that carry no fields of their own. */
  readonly byStatus: Map<number, Reply>;
  /** The replies to errors that fail many requests, and carry fields. */
  readonly toShared: WeakMap<Failure, Reply>;
}

const keptReplies = new Map<ErrorType, KeptReplies>();

/** The reply to a failed request, in the type that it asks for; plain text when it says nothing. */
export function createErrorReply(failure: Failure, exchange: Exchange | null = null): Reply {
  const { status, fields, shared } = failure;
  const accept = exchange === null ? undefined : joinField(exchange.fields, 'accept');
  const type = chooseErrorType(accept);
  // What helps to find the line in the log is in no reply that others get too.
  const requestId = exchange !== null && status >= 500 && type !== 'text/plain' ? exchange.requestId : null;
  if (requestId !== null || (fields.length > 0 && !shared)) return render(failure, type, requestId, false);
  const kept = getKept(type);
  const known = fields.length > 0 ? kept.toShared.get(failure) : kept.byStatus.get(status);
  if (known !== undefined) return known;
  const reply = render(failure, type, null, true);
  if (fields.length > 0) kept.toShared.set(failure, reply);
  else kept.byStatus.set(status, reply);
  return reply;
}

function getKept(type: ErrorType): KeptReplies {
  const known = keptReplies.get(type);
  if (known !== undefined) return known;
  const kept = { byStatus: new Map<number, Reply>(), toShared: new WeakMap<Failure, Reply>() };
  keptReplies.set(type, kept);
  return kept;
}

function render(failure: Failure, type: ErrorType, requestId: string | null, shared: boolean): Reply {
  const { status } = failure;
  const fields = ['Content-Type', type.startsWith('text/') ? `${type}; charset=utf-8` : type];
  fields.push(...failure.fields);
  if (type === 'text/html') fields.push('Content-Security-Policy', errorPolicy);
  addVary(fields, 'Accept');
  const bytes = Buffer.from(renderError(status, type, requestId), 'utf8');
  return new Reply(status, fields, { kind: 'bytes', bytes }, shared);
}
