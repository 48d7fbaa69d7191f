// What the tests of the proxy share: a proxy over a raw or Node upstream, and exchanges made by hand.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { z } from 'zod';
import { compileIpRanges } from '../../../src/base/ip-ranges.ts';
import { createProxy } from '../../../src/handlers/proxy/create-proxy.ts';
import { proxyShape } from '../../../src/handlers/proxy/proxy-shape.ts';
import type { RequestBody } from '../../../src/message/body.ts';
import { type ConnectionFacts, Exchange } from '../../../src/message/exchange.ts';
import type { Fields } from '../../../src/message/fields.ts';
import { findClientAddress } from '../../../src/message/forwarded.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { Reply } from '../../../src/message/reply.ts';
import { normalisePath } from '../../../src/router/normalise-path.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { type PieceSource, readAll } from '../../http1/client-peer.ts';
import { facts, Surroundings } from '../../upstream/upstream-fixture.ts';

/** Addresses from which X-Forwarded-* is believed in these tests. */
export const isTrusted = compileIpRanges(['10.0.0.0/8']);

/** The settings of a proxy as they are written, without its upstream. */
export type ProxyInput = Partial<Exclude<z.input<typeof proxyShape>, string>>;

/** A request as a protocol room would give it. */
export interface Ask {
  method?: string;
  target?: string;
  httpVersion?: '1.0' | '1.1';
  fields?: Fields;
  body?: PieceSource;
  peer?: string;
  scheme?: 'http' | 'https';
  redirectTo?: string;
}

export function createExchange(ask: Ask = {}): Exchange {
  const { method = 'GET', target = '/', httpVersion = '1.1', fields = ['Host', 'site.example'] } = ask;
  const connection: ConnectionFacts = {
    ...facts,
    peerAddress: ask.peer ?? facts.peerAddress,
    scheme: ask.scheme ?? 'http',
  };
  const body =
    ask.body === undefined ? undefined : (Object.assign(ask.body, { limit: Infinity }) as RequestBody);
  const exchange = new Exchange(connection, method, target, httpVersion, fields, 'site.example', body);
  exchange.clientAddress = findClientAddress(connection.peerAddress, fields, isTrusted);
  Object.assign(exchange, normalisePath(ask.redirectTo ?? target));
  exchange.redirected = ask.redirectTo !== undefined;
  return exchange;
}

/** A proxy in its surroundings. */
export class ProxyBench {
  readonly around = new Surroundings();
  readonly #servers: Server[] = [];

  /** @param others further upstreams that the settings name */
  create(upstream: Upstream, settings: ProxyInput = {}, others: readonly Upstream[] = []): Handler {
    const checked = proxyShape.parse({ upstream: upstream.name, ...settings });
    const { timers } = this.around;
    const getUpstream = (name: string): Upstream => {
      const found = [upstream, ...others].find((one) => one.name === name);
      if (found === undefined) throw new Error(`no upstream ${name}`);
      return found;
    };
    return createProxy(checked, { getUpstream, timers, isTrusted, log: () => {} });
  }

  /** A proxy over a Node server. */
  async startNode(listener: RequestListener, settings: ProxyInput = {}): Promise<Handler> {
    return this.create(this.around.createUpstream({ servers: [await this.listen(listener)] }), settings);
  }

  /** A Node server's URL. */
  async listen(listener: RequestListener, prepare: (server: Server) => void = () => {}): Promise<string> {
    const server = createServer(listener);
    this.#servers.push(server);
    prepare(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    return `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`;
  }

  /** A proxy whose upstream answers 200 with the head it got. */
  async startMirror(settings: ProxyInput = {}): Promise<Handler> {
    const peer = await this.around.startPeer((_, head) => {
      const body = head.split('\r\n\r\n')[0];
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    });
    return this.create(this.around.createUpstream({ servers: [peer.url] }), settings);
  }

  async close(): Promise<void> {
    await this.around.close();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

/** The reply of a handler. */
export async function handle(handler: Handler, ask: Ask | Exchange = {}): Promise<Reply> {
  const exchange = ask instanceof Exchange ? ask : createExchange(ask);
  const reply = await handler.handle(exchange);
  if (!(reply instanceof Reply)) throw new Error('an internal redirect');
  return reply;
}

/** The body of a reply as text. */
export async function readText(reply: Reply): Promise<string> {
  const { body } = reply;
  if (body === null) return '';
  if (body.kind === 'bytes') return Buffer.from(body.bytes).toString('latin1');
  if (body.kind !== 'stream') throw new Error(`a ${body.kind}`);
  return (await readAll(body.source)).toString('latin1');
}

/** The lines of the head that the upstream of a mirror got. */
export async function mirror(handler: Handler, ask: Ask = {}): Promise<string[]> {
  return (await readText(await handle(handler, ask))).split('\r\n');
}
