// What the tests of upstreams share: an upstream with everything it needs, and requests whose end can be awaited.

import type { Log } from '../../src/base/log.ts';
import { SharedPool } from '../../src/base/shared-pool.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { BodySource } from '../../src/message/body.ts';
import { type ConnectionFacts, Exchange } from '../../src/message/exchange.ts';
import { HttpError } from '../../src/message/http-error.ts';
import type { ClientResponse } from '../../src/message/upstream-connection.ts';
import { createUpstream } from '../../src/upstream/create-upstream.ts';
import { InstanceDirectory } from '../../src/upstream/instance-directory.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { type UpstreamSettings, upstreamShape } from '../../src/upstream/upstream-shape.ts';
import { type Peer, readBody, startPeer } from '../http1/client-peer.ts';

export const facts: ConnectionFacts = {
  peerAddress: '203.0.113.9',
  peerPort: 4711,
  localAddress: '127.0.0.1',
  localPort: 8080,
  scheme: 'http',
  listenerKey: 'tcp:*:8080',
  serial: 1,
};

/** How a call ended, with what the log would say. */
export interface CallOutcome {
  readonly response: ClientResponse | null;
  readonly error: Error | null;
  readonly exchange: Exchange;
}

/** Everything an upstream lives in, on a fine timer. */
export class Surroundings {
  readonly shared = new SharedPool();
  readonly timers = new TimerWheel(10);
  readonly instances = new InstanceDirectory();
  readonly lines: string[] = [];
  readonly #upstreams: Upstream[] = [];
  readonly #peers: Peer[] = [];

  createUpstream(settings: object, name = 'test'): Upstream {
    const checked: UpstreamSettings = upstreamShape.parse(settings);
    return this.createFrom(checked, name);
  }

  createFrom(settings: UpstreamSettings, name = 'test'): Upstream {
    const { shared, timers, instances } = this;
    const log: Log = (level, message) =>
      void this.lines.push(`${level} ${typeof message === 'string' ? message : message()}`);
    const upstream = createUpstream(name, settings, { shared, timers, instances, log });
    this.#upstreams.push(upstream);
    return upstream;
  }

  /** A raw peer: `answer` is called for each request head and says what to write, or null to reset. */
  async startPeer(
    answer: (turn: number, head: string) => string | null,
  ): Promise<Peer & { url: string; requests: string[] }> {
    const requests: string[] = [];
    const peer = await startPeer((socket) => {
      let turn = 0;
      socket.on('data', (data) => {
        requests.push(data.toString('latin1'));
        const text = answer(turn++, data.toString('latin1'));
        if (text === null) socket.resetAndDestroy();
        else socket.write(text, 'latin1');
      });
    });
    this.#peers.push(peer);
    return Object.assign(peer, { url: `http://127.0.0.1:${peer.address.port}`, requests });
  }

  /** An URL where nothing listens. */
  async findDeadUrl(): Promise<string> {
    const peer = await startPeer(() => {});
    await peer.close();
    return `http://127.0.0.1:${peer.address.port}`;
  }

  async close(): Promise<void> {
    for (const upstream of this.#upstreams) upstream.close();
    for (const peer of this.#peers) await peer.close();
    this.timers.close();
  }
}

/** A 200 with that body. */
export const answer = (body: string, fields = '') =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

/** Calls an upstream and waits for the response or the error. */
export function call(
  upstream: Upstream,
  method = 'GET',
  body: BodySource | null = null,
  fields: string[] = [],
): Promise<CallOutcome> {
  const exchange = new Exchange(facts, method, '/', '1.1', fields, 'test');
  return new Promise((resolve) => {
    upstream
      .call(exchange, `${method} / HTTP/1.1\r\nHost: test\r\n`, body, {
        onResponse: (response) => setImmediate(() => resolve({ response, error: null, exchange })),
        onFailure: (error) => resolve({ response: null, error, exchange }),
      })
      .start();
  });
}

/** The body of a call that must succeed. */
export async function fetchText(
  upstream: Upstream,
  method = 'GET',
  body: BodySource | null = null,
): Promise<string> {
  const { response, error } = await call(upstream, method, body);
  if (error !== null) throw error;
  return readBody(response);
}

/** The error of a call that must fail, with the log's facts. */
export async function fetchError(upstream: Upstream, method = 'GET', body: BodySource | null = null) {
  const { error, exchange } = await call(upstream, method, body);
  if (!(error instanceof HttpError)) throw new Error(`no HttpError: ${error}`);
  const { code, status, detail } = error;
  return { code, status, detail, address: exchange.upstreamAddress, statuses: exchange.upstreamStatus };
}
