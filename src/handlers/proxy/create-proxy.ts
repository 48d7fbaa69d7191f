// Has requests answered by an upstream: what it is sent, and what of its answer goes to the client. Which peer, and
// whether another one is tried, is the upstream's.

import type { Log } from '../../base/log.ts';
import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { HttpError } from '../../message/http-error.ts';
import { type Answer, Reply } from '../../message/reply.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import type { CallOwner, UpstreamCall } from '../../upstream/upstream-call.ts';
import { type AnswerFromUpstream, compileAnswer } from './answer-from-upstream.ts';
import type { ProxySettings } from './proxy-shape.ts';
import { createRequestFields, type RequestFieldRules, renderRequestHead } from './request-fields.ts';
import { compileResponseFields } from './response-fields.ts';
import { compileSetFields } from './set-fields.ts';
import { compileHost } from './upstream-host.ts';
import { compileTarget } from './upstream-target.ts';
import { findWebSocketKey } from './websocket-handshake.ts';
import { openWebSocketTunnel } from './websocket-tunnel.ts';

/** What a proxy is made with. */
export interface ProxyDeps {
  readonly upstream: Upstream;
  readonly timers: TimerWheel;
  readonly log: Log;
  /** Whether what a peer says about its client is believed. */
  readonly isTrusted: (address: string) => boolean;
}

/**
 * Makes the handler of `proxy`. Fails with the upstream's HttpErrors: TSS_UPSTREAM_* (502, 503, 504), and with what the
 * client's own body fails with. A WebSocket handshake becomes a tunnel; every other Upgrade is ignored.
 */
export function createProxy(settings: ProxySettings, deps: ProxyDeps): Handler {
  const { upstream, timers, isTrusted } = deps;
  const { stripPrefix, addPrefix, forwarded } = settings;
  const rules: RequestFieldRules = { stripPrefix, forwarded, isTrusted };
  const readTarget = compileTarget(stripPrefix, addPrefix);
  const readHost = compileHost(settings.host, upstream.name);
  const setFields = compileSetFields(settings.headers);
  const readResponseFields = compileResponseFields(settings, readHost);
  const answer = compileAnswer(settings, readResponseFields, timers);
  const tunnels = { upstream, timers, readResponseFields, idleTimeoutMs: settings.tunnelTimeout };
  return {
    handle: (exchange) => {
      const target = readTarget(exchange);
      const fields = createRequestFields(exchange, readHost(exchange), rules);
      if (setFields !== null) setFields(exchange, fields);
      const key = findWebSocketKey(exchange);
      if (key !== null) {
        const handshake = { exchange, target, fields, key, ...tunnels };
        return new Reply(101, [], {
          kind: 'tunnel',
          open: (client, early) => openWebSocketTunnel(handshake, client, early),
        });
      }
      const head = renderRequestHead(exchange.method, target, fields);
      return new Promise((resolve, reject) => {
        new ProxiedExchange(exchange, answer, resolve, reject).start(upstream, head);
      });
    },
    close: () => {},
  };
}

/** One request under way. */
class ProxiedExchange implements CallOwner {
  readonly #exchange: Exchange;
  readonly #answer: AnswerFromUpstream;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  #call: UpstreamCall | null = null;

  constructor(
    exchange: Exchange,
    answer: AnswerFromUpstream,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ) {
    this.#exchange = exchange;
    this.#answer = answer;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(upstream: Upstream, head: string): void {
    const exchange = this.#exchange;
    const { body } = exchange;
    this.#call = upstream.call(exchange, head, body.length === 0 ? null : body, this);
    exchange.onAbort = () => this.#abort();
    this.#call.start();
  }

  onResponse(response: Parameters<CallOwner['onResponse']>[0]): void {
    try {
      this.#resolve(this.#answer(this.#exchange, response));
    } catch (error) {
      this.#reject(error as Error);
    }
  }

  onFailure(error: Error): void {
    this.#reject(error);
  }

  #abort(): void {
    this.#call?.abort();
    this.#reject(new HttpError('TSS_CLIENT_CLOSED', 'the client left before it was answered'));
  }
}
