// Exchanges for handler tests, made without a socket.

import type { Log } from '../../src/base/log.ts';
import { SharedPool } from '../../src/base/shared-pool.ts';
import type { ConnectionFacts } from '../../src/message/exchange.ts';
import { Exchange } from '../../src/message/exchange.ts';
import type { Fields } from '../../src/message/fields.ts';
import type { Handler } from '../../src/message/handler.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { Reply } from '../../src/message/reply.ts';
import { collectLog } from '../support/collect-log.ts';

const connection: ConnectionFacts = {
  peerAddress: '192.0.2.1',
  peerPort: 40_000,
  localAddress: '192.0.2.2',
  localPort: 80,
  scheme: 'http',
  listenerKey: 'tcp:*:80',
  serial: 1,
};

/** A request whose path is already the canonical one. */
export function createExchange(path: string, fields: Fields = [], method = 'GET', query = ''): Exchange {
  const target = query === '' ? path : `${path}?${query}`;
  const exchange = new Exchange(connection, method, target, '1.1', fields, 'example.com');
  exchange.path = path;
  exchange.query = query;
  return exchange;
}

/** Reads a reply's body to its end. Rejects with the error of the source. */
export async function readBody(reply: Reply): Promise<Buffer> {
  const { body } = reply;
  if (body === null) return Buffer.alloc(0);
  if (body.kind === 'bytes') return Buffer.from(body.bytes);
  if (body.kind !== 'stream') throw new Error('a tunnel has no body');
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await new Promise<Uint8Array | null>((resolve, reject) => {
      body.source.read((error, next) => (error === null ? resolve(next) : reject(error)));
    });
    if (chunk === null) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

/** What a handler answers at once; an HttpError is given back in place of a reply. */
export function answer(handler: Handler, exchange: Exchange): Reply | HttpError {
  try {
    const reply = handler.handle(exchange);
    if (reply instanceof Reply || reply instanceof HttpError) return reply;
    throw new Error('neither a reply nor an error, or not at once');
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
}

/** As {@link answer}, but it must be a reply. */
export function answerReply(handler: Handler, exchange: Exchange): Reply {
  const reply = answer(handler, exchange);
  if (reply instanceof HttpError) throw reply;
  return reply;
}

/** A fresh pool and a log that keeps its lines. */
export function createDeps(): { shared: SharedPool; log: Log; lines: string[] } {
  return { shared: new SharedPool(), ...collectLog() };
}
