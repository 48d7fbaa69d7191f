// Answers every request with a status and a text from the config.

import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { Reply, type ReplyBody } from '../../message/reply.ts';
import { compileTemplate } from '../../message/template.ts';
import type { ReturnSettings } from './return-shape.ts';

/** Compiles a `return` setting. A text without variables is one shared reply. Any method is answered. */
export function createReturn(settings: ReturnSettings): Handler {
  const { status, type } = settings;
  const body = compileTemplate(settings.body);
  const close = () => {};
  if (body.constant !== null) {
    const reply = createReply(status, type, body.constant, true);
    return { handle: () => reply, close };
  }
  return { handle: (exchange: Exchange) => createReply(status, type, body.evaluate(exchange), false), close };
}

function createReply(status: number, type: string, text: string, shared: boolean): Reply {
  if (text === '') return new Reply(status, [], null, shared);
  const body: ReplyBody = { kind: 'bytes', bytes: Buffer.from(text, 'utf8') };
  return new Reply(status, ['Content-Type', type], body, shared);
}
