// Has requests answered by an upstream: what it is sent, and what of its answer goes to the client. Which peer, and
// whether another one is tried, is the upstream's.

import type { Log } from '../../base/log.ts';
import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { HttpError } from '../../message/http-error.ts';
import { copyResponseFields } from '../../message/passed-fields.ts';
import { Reply } from '../../message/reply.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import type { CallOwner, UpstreamCall } from '../../upstream/upstream-call.ts';
import type { ProxySettings } from './proxy-shape.ts';
import { createRequestFields, type RequestFieldRules, renderRequestHead } from './request-fields.ts';
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
  const rules: RequestFieldRules = { stripPrefix: settings.stripPrefix, isTrusted };
  const readTarget = compileTarget(settings.stripPrefix, settings.addPrefix);
  const readHost = compileHost(settings.host, upstream.name);
  return {
    handle: (exchange) => {
      const target = readTarget(exchange);
      const fields = createRequestFields(exchange, readHost(exchange), rules);
      const key = findWebSocketKey(exchange);
      if (key !== null) {
        return new Reply(101, [], {
          kind: 'tunnel',
          open: (client, early) =>
            openWebSocketTunnel({ exchange, target, fields, key, upstream, timers }, client, early),
        });
      }
      const head = renderRequestHead(exchange.method, target, fields);
      return new Promise((resolve, reject) => new ProxiedExchange(exchange, upstream, head, resolve, reject));
    },
    close: () => {},
  };
}

/** One request under way. */
class ProxiedExchange implements CallOwner {
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: Error) => void;
  readonly #call: UpstreamCall;

  constructor(
    exchange: Exchange,
    upstream: Upstream,
    head: string,
    resolve: (reply: Reply) => void,
    reject: (error: Error) => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    const { body } = exchange;
    this.#call = upstream.call(exchange, head, body.length === 0 ? null : body, this);
    exchange.onAbort = () => this.#abort();
    this.#call.start();
  }

  onResponse({ status, fields, body }: Parameters<CallOwner['onResponse']>[0]): void {
    this.#resolve(new Reply(status, copyResponseFields(fields), body));
  }

  onFailure(error: Error): void {
    this.#reject(error);
  }

  #abort(): void {
    this.#call.abort();
    this.#reject(new HttpError('TSS_CLIENT_CLOSED', 'the client left before it was answered'));
  }
}
