// Serves a gateway function on a unix socket with our own HTTP/1.1 engine. The client is our own front worker, which
// has checked every request: no limits and no deadlines here, the front's hold.

import { createServer, type Server, type Socket } from 'node:net';
import { TimerWheel } from '../base/timer-wheel.ts';
import { acceptConnections, type Receiver } from '../http1/accept-connections.ts';
import type { Http1Settings, OpenConnection } from '../http1/http1-settings.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import type { ConnectionFacts } from '../message/exchange.ts';
import type { Dispatcher } from '../message/handler.ts';
import { Reply } from '../message/reply.ts';
import { MuxServer, wantsMux } from '../mux/mux-server.ts';
import type { ApplicationServer } from './application-server.ts';
import { BackgroundWork } from './background-work.ts';
import { FetchDispatcher } from './fetch-dispatcher.ts';
import type { GatewayFunction } from './gateway-function.ts';
import { watchForLostPeers } from './lost-peers.ts';

const unlimitedMs = 2 ** 31 - 1;

const settings: Http1Settings = {
  timeouts: { header: unlimitedMs, body: unlimitedMs, send: unlimitedMs, keepalive: unlimitedMs },
  // Above anything the front lets pass, with room for the fields it adds.
  limits: { head: 4 * 1024 * 1024, fields: 65_536, target: 2 * 1024 * 1024, bodyRate: 0 },
};

/** The server of an application with the interface "fetch". */
export class FetchServer implements ApplicationServer {
  readonly #dispatcher: FetchDispatcher;
  /** The same, for connections that may become links. */
  readonly #entrance: Dispatcher;
  readonly #links = new Set<MuxServer>();
  readonly #background = new BackgroundWork();
  readonly #timers = new TimerWheel(1000, 60);
  readonly #connections = new Map<OpenConnection, Socket>();
  readonly #server: Server;
  #serial = 0;
  #draining = false;
  #onEmpty: (() => void) | null = null;

  /** @param instance which of its upstream's instances this is, from 1 */
  constructor(handle: GatewayFunction, instance: number) {
    this.#dispatcher = new FetchDispatcher(handle, instance, this.#background);
    this.#entrance = {
      dispatch: (exchange) =>
        wantsMux(exchange) ? this.#createLink(exchange.connection) : this.#dispatcher.dispatch(exchange),
      refuse: (error) => this.#dispatcher.refuse(error),
      finish: (exchange) => this.#dispatcher.finish(exchange),
    };
    this.#server = createServer({ allowHalfOpen: true });
    watchForLostPeers(this.#timers, () => this.#listUnread());
    acceptConnections(this.#server, (socket) => this.#accept(socket));
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject);
        // A failed accept (no descriptor left) costs one connection, not the instance.
        this.#server.on('error', () => {});
        resolve();
      });
    });
  }

  async drain(): Promise<void> {
    this.#draining = true;
    this.#server.close();
    for (const link of this.#links) link.drain();
    for (const connection of this.#connections.keys()) connection.drain();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    await this.#background.settle();
    this.#timers.close();
  }

  #accept(socket: Socket): Receiver {
    const facts: ConnectionFacts = {
      peerAddress: 'unix:',
      peerPort: 0,
      localAddress: 'unix:',
      localPort: 0,
      scheme: 'http',
      listenerKey: '',
      serial: ++this.#serial,
    };
    const connection = new ServerConnection(socket, facts, {
      dispatcher: this.#entrance,
      settings,
      timers: this.#timers,
      onClose: (closed) => this.#forget(closed),
    });
    this.#connections.set(connection, socket);
    return connection;
  }

  #createLink(facts: ConnectionFacts): Reply {
    return new Reply(101, [], {
      kind: 'tunnel',
      open: (socket, early) => {
        const { limits } = settings;
        const link = new MuxServer(socket, early, { facts, dispatcher: this.#dispatcher, limits });
        this.#links.add(link);
        if (this.#draining) link.drain();
        socket.once('close', () => this.#links.delete(link));
      },
    });
  }

  /** Those that are read from notice by themselves. */
  *#listUnread(): Iterable<Socket> {
    for (const socket of this.#connections.values()) if (socket.isPaused()) yield socket;
  }

  #forget(connection: OpenConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}
