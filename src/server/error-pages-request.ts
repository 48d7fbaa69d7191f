// What changes while a page is fetched in place of an error, in the request and in the page's reply, and which replies
// of handlers are errors that pages stand for.

import type { Exchange } from '../message/exchange.ts';
import { type Fields, hasToken, joinField, removeField } from '../message/fields.ts';
import type { Handle } from '../message/handler.ts';
import { type Answer, type InternalRedirect, Reply } from '../message/reply.ts';
import type { ErrorPage, FindErrorPage } from './error-pages.ts';
import type { Failure } from './error-reply.ts';

// They speak of what was asked for first: of a page they would make a 304, a 206 or a tunnel. The last two describe a
// body that is not sent.
const hiddenNames: readonly string[] =
  'range if-range if-match if-none-match if-modified-since if-unmodified-since upgrade content-type content-encoding'.split(
    ' ',
  );

// Of a page that was not asked for under its own name, they would have caches keep the error, or ask for parts of it.
const ownNames: readonly string[] = ['etag', 'last-modified', 'accept-ranges', 'expires'];

const carriedNames: ReadonlySet<string> = new Set(['www-authenticate', 'allow', 'retry-after']);

/** A reply with an error's status that a page is to stand in for. Middleware lets it pass, as any internal redirect. */
export class InterceptedReply implements InternalRedirect, Failure {
  readonly redirectTo = '';
  readonly shared = false;
  readonly status: number;
  readonly fields: Fields = [];

  /** Lets the reply's body go. */
  constructor({ status, fields, body }: Reply) {
    this.status = status;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i].toLowerCase();
      if (carriedNames.has(name) || (status === 416 && name === 'content-range')) {
        this.fields.push(fields[i], fields[i + 1]);
      }
    }
    if (body?.kind === 'stream') body.source.cancel();
  }
}

/** Wraps a handler whose replies with an error's status, where there is a page for it, count as errors. */
export function interceptErrors(handle: Handle, findPage: FindErrorPage): Handle {
  const intercept = (answer: Answer): Answer =>
    answer instanceof Reply && answer.status >= 400 && findPage(answer.status) !== null
      ? new InterceptedReply(answer)
      : answer;
  return (exchange) => {
    const answer = handle(exchange);
    return answer instanceof Promise ? answer.then(intercept) : intercept(answer);
  };
}

/** Hides, in place, what a request says that a page must not be asked. Gives what brings it back. */
export function hideConditions({ fields }: Exchange): () => void {
  const all = [...fields];
  for (const name of hiddenNames) removeField(fields, name);
  return () => {
    fields.splice(0, fields.length, ...all);
  };
}

/** The reply of a page in place of an error's. A redirect that the page comes to stays one. */
export function toErrorPage(reply: Reply, page: ErrorPage, failure: Failure): Reply {
  const { status, body } = reply;
  if (page.status === 'answered' || (status >= 300 && status < 400)) return reply;
  const fields = [...reply.fields];
  for (const name of ownNames) removeField(fields, name);
  const cacheControl = joinField(fields, 'cache-control') ?? '';
  if (!['no-store', 'no-cache', 'private'].some((token) => hasToken(cacheControl, token))) {
    removeField(fields, 'cache-control');
  }
  for (let i = 0; i < failure.fields.length; i += 2) removeField(fields, failure.fields[i].toLowerCase());
  return new Reply(
    page.status === 'kept' ? failure.status : page.status,
    [...fields, ...failure.fields],
    body,
  );
}
