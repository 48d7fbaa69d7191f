// The `compress` setting as middleware: finds out which coding a client wants, and whether it has the body already.
// Stands outside all that sets fields, since it must see the final ones.

import type { SharedPool } from '../../base/shared-pool.ts';
import { type ChooseCoding, type ContentCoding, compileCodingChoice } from '../../message/accept-encoding.ts';
import type { Exchange } from '../../message/exchange.ts';
import { hasField, hasToken, joinField } from '../../message/fields.ts';
import type { Handle, Middleware } from '../../message/handler.ts';
import { type Answer, Reply } from '../../message/reply.ts';
import { CompressionWork } from './compression-work.ts';
import { hasEncoding } from './encode-bytes.ts';
import { addPlainTags, findSingle, namesEncoded } from './encoded-fields.ts';
import { KeptBodies } from './kept-bodies.ts';
import type { CompressionSettings } from './merge-compression.ts';
import { ReplyEncoder } from './reply-encoder.ts';

/** What compression needs of its surroundings. */
export interface CompressionDeps {
  /** Keeps what is compressed while Sites change. */
  readonly shared: SharedPool;
  /** Whether the handler's strong entity tags tell every version of every file from all others. */
  readonly answersFiles: boolean;
}

/** Compression of one route. */
export interface Compression {
  readonly wrap: Middleware;
  /** Lets go of what is kept. Requests that still run may go on to their end. */
  close(): void;
}

/** Compiles a `compress` setting. What is kept is shared by all routes with the same settings. */
export function createCompression(settings: CompressionSettings, deps: CompressionDeps): Compression {
  const work = deps.shared.take('compression-work', () => new CompressionWork());
  const key = `compression:${JSON.stringify(settings)}`;
  const bodies = deps.shared.take(key, () => new KeptBodies(settings, work.value));
  const encoder = new ReplyEncoder(settings, work.value, bodies.value, deps.answersFiles);
  const compressor = new Compressor(compileCodingChoice(settings.encodings.filter(hasEncoding)), encoder);
  return {
    wrap: (next) => compressor.wrap(next),
    close: () => {
      bodies.release();
      work.release();
    },
  };
}

class Compressor {
  readonly #choose: ChooseCoding;
  readonly #encoder: ReplyEncoder;

  constructor(choose: ChooseCoding, encoder: ReplyEncoder) {
    this.#choose = choose;
    this.#encoder = encoder;
  }

  wrap(next: Handle): Handle {
    return (exchange) => {
      const encoding = this.#findEncoding(exchange);
      if (encoding !== null && hasField(exchange.fields, 'if-none-match')) {
        return this.#handleConditional(exchange, encoding, next);
      }
      const answer = next(exchange);
      if (answer instanceof Promise) return answer.then((later) => this.#finish(exchange, later, encoding));
      return this.#finish(exchange, answer, encoding);
    };
  }

  #findEncoding({ fields }: Exchange): ContentCoding | null {
    const encoding = this.#choose(fields);
    if (encoding === 'identity') return null;
    const cacheControl = joinField(fields, 'cache-control');
    return cacheControl !== undefined && hasToken(cacheControl, 'no-transform') ? null : encoding;
  }

  /** The handler looks for its own tag in If-None-Match, which for the time being is there beside ours. */
  #handleConditional(exchange: Exchange, encoding: ContentCoding, next: Handle): Answer | Promise<Answer> {
    const { fields } = exchange;
    const position = findSingle(fields, 'if-none-match');
    const asked = position === -1 ? '' : fields[position];
    const restore = () => {
      if (position !== -1) fields[position] = asked;
    };
    const settle = (answer: Answer): Answer | Promise<Answer> => {
      if (answer instanceof Reply && answer.status === 304 && namesEncoded(asked, answer.fields, encoding)) {
        return this.#encoder.encodeNotModified(answer, encoding);
      }
      return this.#finish(exchange, answer, encoding);
    };
    if (position !== -1) fields[position] = addPlainTags(asked, encoding);
    let answer: Answer | Promise<Answer>;
    try {
      answer = next(exchange);
    } catch (error) {
      restore();
      throw error;
    }
    if (answer instanceof Promise) return answer.finally(restore).then(settle);
    restore();
    return settle(answer);
  }

  #finish(exchange: Exchange, answer: Answer, encoding: ContentCoding | null): Answer | Promise<Answer> {
    return answer instanceof Reply ? this.#encoder.encode(exchange, answer, encoding) : answer;
  }
}
