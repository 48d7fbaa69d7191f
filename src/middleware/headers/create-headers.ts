// The settings about header fields as middleware: fields are given to whatever reply comes back.

import type { Exchange } from '../../message/exchange.ts';
import type { Handle, Middleware } from '../../message/handler.ts';
import { type Answer, Reply } from '../../message/reply.ts';
import { compileExpires, type ExpiresSettings } from './compile-expires.ts';
import { compileHeaders } from './compile-headers.ts';
import type { HeadersSettings } from './headers-shape.ts';

/**
 * Compiles a `headers` setting, merged from all levels. Errors pass it by: whoever turns them into replies applies
 * {@link compileHeaders} to those. Internal redirects pass through: where they end, other headers hold.
 */
export function createHeaders(settings: HeadersSettings): Middleware {
  return createReplyMiddleware(compileHeaders(settings));
}

/** Compiles an `expires` setting. `headers` come after it: what they say of Cache-Control holds. */
export function createExpires(settings: NonNullable<ExpiresSettings>): Middleware {
  return createReplyMiddleware(compileExpires(settings));
}

function createReplyMiddleware(apply: (exchange: Exchange, reply: Reply) => Reply): Middleware {
  const applyToAnswer = (exchange: Exchange, answer: Answer): Answer =>
    answer instanceof Reply ? apply(exchange, answer) : answer;
  return (next: Handle): Handle =>
    (exchange) => {
      const answer = next(exchange);
      if (answer instanceof Promise) return answer.then((settled) => applyToAnswer(exchange, settled));
      return applyToAnswer(exchange, answer);
    };
}
