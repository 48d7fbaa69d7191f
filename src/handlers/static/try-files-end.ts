// The last item of `tryFiles`: what answers when none of the files is there.

import { STATUS_CODES } from 'node:http';
import type { Exchange } from '../../message/exchange.ts';
import { HttpError } from '../../message/http-error.ts';
import { encodePath } from '../../message/location.ts';
import { type Answer, createTextReply, Reply } from '../../message/reply.ts';
import { createNotFound } from './file-error.ts';
import { compilePathTemplate } from './path-template.ts';

/** Answers a request for `path`, which names no file. */
export type AnswerMissing = (path: string, exchange: Exchange) => Answer;

/** Compiles a last item: "=404" and the like, "\@name" for a named route, or the URI of a route. */
export function compileTryFilesEnd(text: string): AnswerMissing {
  if (text.startsWith('=')) {
    const answer = createStatusAnswer(Number(text.slice(1)));
    return () => answer;
  }
  if (text.startsWith('@')) return () => ({ redirectTo: text });
  const evaluate = compilePathTemplate(text, encodePath);
  return (path, exchange) => ({ redirectTo: evaluate(path, exchange) });
}

function createStatusAnswer(status: number): Answer {
  if (status === 404) return createNotFound('none of tryFiles is there', true);
  if (status === 403)
    return new HttpError('TSS_FORBIDDEN', 'none of tryFiles is there', [], { shared: true });
  if (status < 400) return new Reply(status, [], null, true);
  const { fields, body } = createTextReply(status, `${status} ${STATUS_CODES[status] ?? 'Error'}\n`);
  return new Reply(status, fields, body, true);
}
