// Serves a Node listener (Express, Koa's callback, Fastify's routing) on a unix socket with Node's own HTTP server, whose
// request and response classes it expects. An application that is a server lends its listeners; it does not listen.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket, Server as SocketServer } from 'node:net';
import { TimerWheel } from '../base/timer-wheel.ts';
import type { ApplicationServer } from './application-server.ts';
import type { NodeListener } from './gateway-function.ts';
import { watchForLostPeers } from './lost-peers.ts';
import { reportFailure } from './report.ts';

/** How long an idle connection may still bring a request after a drain began. */
const drainQuietMs = 1_000;

/** The server of an application with the interface "node". */
export class NodeServer implements ApplicationServer {
  readonly server: Server;
  /** Open connections, with the number of requests under way on each. */
  readonly #sockets = new Map<Socket, number>();
  readonly #timers = new TimerWheel(1000, 4);
  #draining = false;

  constructor(application: NodeListener | Server) {
    const listener = typeof application === 'function' ? application : toListener(application);
    this.server = createServer({ maxHeaderSize: 4 * 1024 * 1024, requestTimeout: 0 }, (request, response) => {
      this.#watch(request.socket, response);
      callListener(listener, request, response);
    });
    this.#watchUpgrades();
    watchForLostPeers(this.#timers, () => this.#listActive());
    if (typeof application !== 'function') lendListeners(application, this.server);
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, 0);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // The front closes idle connections. A timer of ours could do it in the moment it sends a request.
    this.server.keepAliveTimeout = 0;
    this.server.headersTimeout = 0;
    this.server.maxHeadersCount = 0;
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(socketPath, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => reportFailure('accepting connections', error));
        resolve();
      });
    });
  }

  async drain(): Promise<void> {
    this.#draining = true;
    // The close of node:http also closes idle connections, on which the front may just be sending a request.
    const closed = new Promise<void>((resolve) =>
      SocketServer.prototype.close.call(this.server, () => resolve()),
    );
    const timer = setTimeout(() => this.#closeIdle(), drainQuietMs);
    await closed;
    clearTimeout(timer);
    this.#timers.close();
  }

  /** Whether node:http reads from a connection does not show; from an idle one it does. */
  *#listActive(): Iterable<Socket> {
    for (const [socket, active] of this.#sockets) if (active > 0) yield socket;
  }

  #watch(socket: Socket, response: ServerResponse): void {
    this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1);
    if (this.#draining) response.shouldKeepAlive = false;
    response.once('close', () => {
      const active = (this.#sockets.get(socket) ?? 1) - 1;
      // A closed connection is forgotten already.
      if (this.#sockets.has(socket)) this.#sockets.set(socket, active);
      if (this.#draining && active === 0) socket.end();
    });
  }

  /** A server with a listener for "upgrade" gives such connections away: each counts as one request until it closes. */
  #watchUpgrades(): void {
    const hold = (_: IncomingMessage, socket: Socket) => this.#sockets.set(socket, 1);
    this.server.on('newListener', (event, listener) => {
      const isFirst =
        event === 'upgrade' && listener !== hold && !this.server.listeners(event).includes(hold);
      if (isFirst) this.server.on('upgrade', hold);
    });
  }

  #closeIdle(): void {
    for (const [socket, active] of this.#sockets) if (active === 0) socket.destroy();
  }
}

/** Events that a server has listeners for only where somebody wants them: what happens without is Node's to know. */
const lentEvents: ReadonlySet<string> = new Set([
  'upgrade',
  'checkContinue',
  'checkExpectation',
  'clientError',
]);

function toListener(application: Server): NodeListener {
  return (request, response) => application.emit('request', request, response);
}

/** Has a server take part in what comes to another one, with the listeners it has and those it will get. */
function lendListeners(from: Server, to: Server): void {
  const lend = (event: string | symbol): void => {
    if (typeof event !== 'string' || !lentEvents.has(event) || to.listenerCount(event) > 0) return;
    to.on(event, (...values) => from.emit(event, ...values));
  };
  for (const event of from.eventNames()) lend(event);
  from.on('newListener', lend);
}

/** A listener that fails answers 500, as a gateway function does. An async one may reject where nobody looks. */
function callListener(listener: NodeListener, request: IncomingMessage, response: ServerResponse): void {
  const fail = (error: unknown): void => {
    const path = (request.url ?? '').split('?', 1)[0];
    reportFailure(`request ${request.method} ${path} failed`, error);
    if (response.headersSent) response.destroy();
    else if (!response.writableEnded) {
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.statusCode = 500;
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end('Internal Server Error\n');
    }
  };
  try {
    const result = listener(request, response) as { then?: unknown } | null | undefined;
    // Promises of libraries are none of the platform's.
    if (typeof result?.then === 'function') Promise.resolve(result).catch(fail);
  } catch (error) {
    fail(error);
  }
}
