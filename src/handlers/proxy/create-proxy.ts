// Has requests answered by an upstream: what it is sent, and what of its answer goes to the client. Which peer, and
// whether another one is tried, is the upstream's.

import type { Log } from '../../base/log.ts';
import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { Reply } from '../../message/reply.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { compileAnswer } from './answer-from-upstream.ts';
import { BodyStore } from './body-store.ts';
import { Mirror } from './mirror.ts';
import { ProxiedExchange, type ProxiedRoute } from './proxied-exchange.ts';
import type { ProxySettings } from './proxy-shape.ts';
import { createRequestFields, type RequestFieldRules, renderRequestHead } from './request-fields.ts';
import { compileResponseFields } from './response-fields.ts';
import { compileSetFields } from './set-fields.ts';
import { type ChooseUpstream, compileSplit } from './split-traffic.ts';
import { compileHost } from './upstream-host.ts';
import { compileTarget } from './upstream-target.ts';
import { findWebSocketKey } from './websocket-handshake.ts';
import { openWebSocketTunnel } from './websocket-tunnel.ts';

/** What a proxy is made with. */
export interface ProxyDeps {
  /** The upstream of a name in the settings. */
  readonly getUpstream: (name: string) => Upstream;
  readonly timers: TimerWheel;
  readonly log: Log;
  /** Whether what a peer says about its client is believed. */
  readonly isTrusted: (address: string) => boolean;
}

/**
 * Makes the handler of `proxy`. Fails with the upstream's HttpErrors: TSS_UPSTREAM_* (502, 503, 504), with TSS_BUFFER_*
 * when a body finds no room, and with what the client's own body fails with. A WebSocket handshake becomes a tunnel;
 * every other Upgrade is ignored.
 */
export function createProxy(settings: ProxySettings, deps: ProxyDeps): Handler {
  const { timers, isTrusted } = deps;
  const { stripPrefix, addPrefix, forwarded } = settings;
  const rules: RequestFieldRules = { stripPrefix, forwarded, isTrusted };
  const readTarget = compileTarget(stripPrefix, addPrefix);
  const readHost = compileHost(settings.host, settings.upstream);
  const setFields = compileSetFields(settings.headers);
  const chooseUpstream = settings.split === null ? null : compileSplit(settings.split, settings.upstream);
  const readUpstream = compileUpstream(settings, deps.getUpstream, chooseUpstream);
  const readResponseFields = compileResponseFields(settings, readHost, chooseUpstream);
  const route: ProxiedRoute = {
    answer: compileAnswer(settings, readResponseFields, timers),
    store: settings.requestBuffering === null ? null : new BodyStore(settings.requestBuffering),
    mirror: createMirror(settings, deps.getUpstream),
  };
  const tunnels = { timers, readResponseFields, idleTimeoutMs: settings.tunnelTimeout };
  return {
    handle: (exchange) => {
      const target = readTarget(exchange);
      const fields = createRequestFields(exchange, readHost(exchange), rules);
      if (setFields !== null) setFields(exchange, fields);
      const upstream = readUpstream(exchange);
      const key = findWebSocketKey(exchange);
      if (key !== null) {
        const handshake = { exchange, target, fields, key, upstream, ...tunnels };
        return new Reply(101, [], {
          kind: 'tunnel',
          open: (client, early) => openWebSocketTunnel(handshake, client, early),
        });
      }
      const head = renderRequestHead(exchange.method, target, fields);
      return new Promise((resolve, reject) => {
        new ProxiedExchange(route, exchange, resolve, reject).start(upstream, head);
      });
    },
    close: () => {},
  };
}

function compileUpstream(
  { upstream, split }: ProxySettings,
  getUpstream: ProxyDeps['getUpstream'],
  choose: ChooseUpstream | null,
): (exchange: Exchange) => Upstream {
  const own = getUpstream(upstream);
  if (choose === null || split === null) return () => own;
  const byName = new Map([
    [upstream, own],
    ...split.to.map((to) => [to.upstream, getUpstream(to.upstream)] as const),
  ]);
  return (exchange) => byName.get(choose(exchange)) ?? own;
}

function createMirror({ mirror }: ProxySettings, getUpstream: ProxyDeps['getUpstream']): Mirror | null {
  return mirror === null ? null : new Mirror({ ...mirror, upstream: getUpstream(mirror.upstream) });
}
