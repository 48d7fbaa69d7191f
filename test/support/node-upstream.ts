// A plain node:http server as an upstream, which can be stopped and started again on the same port.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { cleanUpLater } from './clean-up.ts';

/** How an upstream answers. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void;

/** A running upstream. */
export interface NodeUpstream {
  readonly port: number;
  /** "http://127.0.0.1:PORT". */
  readonly url: string;
  /** Requests that reached it since it was made. */
  readonly requestCount: number;
  /** Heads of the requests in order, at most the last 100. */
  readonly requests: readonly { method: string; url: string; rawHeaders: readonly string[] }[];
  /** Connections open now. */
  readonly connectionCount: number;
  /** How long it keeps idle connections. */
  setKeepAliveTimeout(ms: number): void;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>;
}

/** Starts an upstream. `name` comes back in each answer as `X-Upstream` and, by default, as its text. */
export async function startNodeUpstream(
  name: string,
  listener: NodeListener = (_, response) => response.end(`${name}\n`),
): Promise<NodeUpstream> {
  const sockets = new Set<Socket>();
  const requests: NodeUpstream['requests'][number][] = [];
  let requestCount = 0;
  let port = 0;
  let server: Server | null = null;

  const start = async (): Promise<void> => {
    const next = createServer((request, response) => {
      requestCount++;
      requests.push({
        method: request.method ?? '',
        url: request.url ?? '',
        rawHeaders: request.rawHeaders,
      });
      if (requests.length > 100) requests.shift();
      response.setHeader('X-Upstream', name);
      listener(request, response);
    });
    next.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject);
      next.listen(port, '127.0.0.1', resolve);
    });
    port = (next.address() as { port: number }).port;
    server = next;
  };
  const stop = async (): Promise<void> => {
    const closing = server;
    server = null;
    if (closing === null) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  await start();
  cleanUpLater(stop);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get requestCount() {
      return requestCount;
    },
    requests,
    get connectionCount() {
      return sockets.size;
    },
    setKeepAliveTimeout: (ms) => {
      if (server !== null) server.keepAliveTimeout = ms;
    },
    start,
    stop,
  };
}
