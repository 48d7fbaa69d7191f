// Exchanges for tests of the application side, with a body that is at hand.

import type { OnChunk, RequestBody } from '../../src/message/body.ts';
import { emptyRequestBody } from '../../src/message/body.ts';
import { type ConnectionFacts, Exchange } from '../../src/message/exchange.ts';

const connection: ConnectionFacts = {
  peerAddress: 'unix:',
  peerPort: 0,
  localAddress: 'unix:',
  localPort: 0,
  scheme: 'http',
  listenerKey: '',
  serial: 1,
};

/** A body that gives its chunks one by one, then its end, or an error in place of it. */
export class ListBody implements RequestBody {
  readonly length: number | null;
  limit = Number.POSITIVE_INFINITY;
  cancelled = 0;
  reads = 0;
  readonly #chunks: (string | Uint8Array)[];
  readonly #error: Error | null;

  constructor(
    chunks: readonly (string | Uint8Array)[],
    error: Error | null = null,
    length: number | null = null,
  ) {
    this.#chunks = [...chunks];
    this.#error = error;
    this.length = length;
  }

  read(onChunk: OnChunk): void {
    this.reads++;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) onChunk(null, typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    else onChunk(this.#error, null);
  }

  cancel(): void {
    this.cancelled++;
  }
}

/** An exchange. Without a body, GET / of the host "a". */
export function createExchange(
  parts: { method?: string; target?: string; fields?: string[]; body?: string | RequestBody } = {},
): Exchange {
  const { method = 'GET', target = '/', fields = ['Host', 'a'], body = '' } = parts;
  const source =
    typeof body !== 'string'
      ? body
      : body === ''
        ? emptyRequestBody
        : new ListBody([body], null, body.length);
  return new Exchange(connection, method, target, '1.1', fields, 'a', source);
}
