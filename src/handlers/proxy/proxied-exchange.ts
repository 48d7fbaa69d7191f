// One request on its way to an upstream and its answer back. With buffering, the body is read first; with a mirror, a
// copy follows. Without either it goes straight on.

import type { BodySource } from '../../message/body.ts';
import type { Exchange } from '../../message/exchange.ts';
import { HttpError } from '../../message/http-error.ts';
import type { Answer } from '../../message/reply.ts';
import type { ClientResponse } from '../../message/upstream-connection.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import type { CallOwner, UpstreamCall } from '../../upstream/upstream-call.ts';
import type { AnswerFromUpstream } from './answer-from-upstream.ts';
import type { BodyStore } from './body-store.ts';
import type { Mirror } from './mirror.ts';
import { type StoredBody, storeBody } from './stored-body.ts';

/** What all requests of a route have in common. */
export interface ProxiedRoute {
  readonly answer: AnswerFromUpstream;
  /** Null when bodies are passed on as they come. */
  readonly store: BodyStore | null;
  readonly mirror: Mirror | null;
}

/** One request under way. */
export class ProxiedExchange implements CallOwner {
  readonly #route: ProxiedRoute;
  readonly #exchange: Exchange;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  #call: UpstreamCall | null = null;
  #stored: StoredBody | null = null;

  constructor(
    route: ProxiedRoute,
    exchange: Exchange,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ) {
    this.#route = route;
    this.#exchange = exchange;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Begins. `head` is the request line and the fields, each line with its CRLF. */
  start(upstream: Upstream, head: string): void {
    const { body } = this.#exchange;
    const { store, mirror } = this.#route;
    if (store !== null && body.length !== 0) {
      this.#startStored(upstream, head, store);
      return;
    }
    this.#send(upstream, head, body.length === 0 ? null : body);
    if (mirror !== null) mirror.copy(this.#exchange, head, null);
  }

  #startStored(upstream: Upstream, head: string, store: BodyStore): void {
    const exchange = this.#exchange;
    const giveUp = storeBody(exchange.body, store, (error, stored) => {
      if (stored === null) {
        this.#reject(error ?? new Error('no body and no error'));
        return;
      }
      this.#stored = stored;
      const copied = this.#route.mirror === null ? null : stored;
      copied?.hold();
      this.#send(upstream, head, stored.length === 0 ? null : stored.createSource());
      this.#route.mirror?.copy(exchange, head, stored);
      copied?.release();
    });
    if (this.#call === null) {
      exchange.onAbort = () => {
        giveUp();
        this.#abort();
      };
    }
  }

  #send(upstream: Upstream, head: string, body: BodySource | null): void {
    const exchange = this.#exchange;
    this.#call = upstream.call(exchange, head, body, this);
    exchange.onAbort = () => this.#abort();
    this.#call.start();
  }

  onResponse(response: ClientResponse): void {
    this.#letGo();
    try {
      this.#resolve(this.#route.answer(this.#exchange, response));
    } catch (error) {
      this.#reject(error as Error);
    }
  }

  onFailure(error: Error): void {
    this.#letGo();
    this.#reject(error);
  }

  #abort(): void {
    this.#call?.abort();
    this.#letGo();
    this.#reject(new HttpError('TSS_CLIENT_CLOSED', 'the client left before it was answered'));
  }

  /** Nothing is sent again from now on: the body stays only for who is still sending it. */
  #letGo(): void {
    const stored = this.#stored;
    this.#stored = null;
    stored?.release();
  }
}
