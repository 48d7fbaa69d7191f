// Sends copies of requests to another upstream and throws its answers away (nginx's mirror). The original request is
// on its way before its copy is made, and knows nothing of it.

import type { BodySource, OnChunk } from '../../message/body.ts';
import { Exchange } from '../../message/exchange.ts';
import type { ReplyBody } from '../../message/reply.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import type { StoredBody } from './stored-body.ts';

/** Of a longer answer the rest is not waited for: a new connection is cheaper. */
const maxReadBytes = 1024 * 1024;

/** The settings of a mirror, with its upstream. */
export interface MirrorOptions {
  readonly upstream: Upstream;
  /** Percent of the requests. */
  readonly share: number;
  /** Most copies under way; more are not made. */
  readonly concurrency: number;
}

/** One route's mirror. */
export class Mirror {
  readonly #upstream: Upstream;
  readonly #share: number;
  readonly #concurrency: number;
  #underWay = 0;
  /** Grows by the share with each request; a copy costs 100. */
  #credit = 0;

  constructor({ upstream, share, concurrency }: MirrorOptions) {
    this.#upstream = upstream;
    this.#share = share;
    this.#concurrency = concurrency;
  }

  /** Copies under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Sends a copy of a request, if it is its turn. A body that was not kept cannot be sent twice: then none is sent. */
  copy(original: Exchange, head: string, body: StoredBody | null): void {
    if (body === null && original.body.length !== 0) return;
    this.#credit += this.#share;
    if (this.#credit < 100) return;
    this.#credit -= 100;
    if (this.#underWay >= this.#concurrency) return;
    this.#underWay++;
    // What upstreams note on an exchange is about the original in every log.
    const { connection, method, target, httpVersion, fields, host } = original;
    const exchange = new Exchange(connection, method, target, httpVersion, fields, host);
    const source = body === null || body.length === 0 ? null : body.createSource();
    const onEnd = () => {
      this.#underWay--;
      source?.cancel();
    };
    const owner = {
      onResponse: (response: { readonly body: ReplyBody }) => drain(response.body, onEnd),
      onFailure: onEnd,
    };
    this.#upstream.call(exchange, head, source, owner).start();
  }
}

/** Reads a body for nobody, so that its connection can be used again. */
function drain(body: ReplyBody, onEnd: () => void): void {
  if (body === null || body.kind !== 'stream') onEnd();
  else new Drain(body.source, onEnd).pump();
}

class Drain {
  readonly #source: BodySource;
  readonly #onEnd: () => void;
  #bytes = 0;
  #isOpen = false;
  #isPumping = false;
  #isOver = false;

  constructor(source: BodySource, onEnd: () => void) {
    this.#source = source;
    this.#onEnd = onEnd;
  }

  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isOpen && !this.#isOver) {
      this.#isOpen = true;
      this.#source.read(this.#onChunk);
    }
    this.#isPumping = false;
  }

  readonly #onChunk: OnChunk = (error, chunk) => {
    if (error === null && chunk !== null && this.#bytes + chunk.length <= maxReadBytes) {
      this.#bytes += chunk.length;
      this.#isOpen = false;
      this.#source.recycle?.(chunk);
      this.pump();
      return;
    }
    this.#isOver = true;
    if (chunk !== null) this.#source.cancel();
    this.#onEnd();
  };
}
