// Sends the client elsewhere.

import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { Reply } from '../../message/reply.ts';
import { compileLocation } from './compile-location.ts';
import type { RedirectSettings } from './redirect-shape.ts';

/** Compiles a `redirect` setting. A target without variables is one shared reply. Any method is answered. */
export function createRedirect(settings: RedirectSettings): Handler {
  const { status } = settings;
  const location = compileLocation(settings.to);
  const close = () => {};
  if (location.constant !== null) {
    const reply = new Reply(status, ['Location', location.constant], null, true);
    return { handle: () => reply, close };
  }
  return {
    handle: (exchange: Exchange) => new Reply(status, ['Location', location.evaluate(exchange)], null),
    close,
  };
}
