// One listening socket of one process: takes connections from it and gives each to the protocol, behind a head of the
// PROXY protocol where one is wanted. The socket itself was bound elsewhere (the master's) or is bound here by address.

import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { monotonicMs } from '../base/clock.ts';
import type { IpRangeTest } from '../base/ip-ranges.ts';
import type { Log, LogLevel } from '../base/log.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { acceptConnections, type Receiver } from '../http1/accept-connections.ts';
import type { Http1Settings, OpenConnection, ServerConnectionOptions } from '../http1/http1-settings.ts';
import { refuseSocket } from '../http1/refuse-socket.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import type { ConnectionFacts, Exchange } from '../message/exchange.ts';
import type { Dispatcher } from '../message/handler.ts';
import { readConnectionFacts } from './connection-facts.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ProxiedEnds } from './parse-proxy-head.ts';
import { ProxiedConnection, type ProxiedConnectionOwner } from './proxied-connection.ts';

/** What a listener works with. */
export interface ListenerOptions {
  /** Canonical name of the address: "tcp:*:8080", "unix:/run/site.sock". */
  readonly key: string;
  readonly dispatcher: Dispatcher;
  readonly settings: Http1Settings;
  /**
   * Whose connections, and no others, are taken, each with a head of the PROXY protocol; null when connections begin
   * with a request.
   */
  readonly headSenders: IpRangeTest | null;
  readonly timers: TimerWheel;
  /** Shared by all listeners of the process. */
  readonly connectionLimits: ConnectionLimits;
  readonly log: Log;
}

/** Connections the kernel may hold for us. As nginx. */
const backlog = 511;

/** How often a connection that cannot be taken is worth a line, in ms. */
const refusalLogPauseMs = 1_000;

/** How many connections are looked at to find one that nobody would miss. */
const maxIdleLooks = 64;

/** A listening socket and its connections. */
export class Listener {
  /** Canonical name of the address. */
  readonly key: string;
  readonly #log: Log;
  readonly #server: Server;
  readonly #limits: ConnectionLimits;
  /** With the address that each is counted for, oldest first. */
  readonly #connections = new Map<OpenConnection, string>();
  readonly #headOwner: ProxiedConnectionOwner;
  #connectionOptions: ServerConnectionOptions;
  #headSenders: IpRangeTest | null;
  #draining = false;
  #onDrained: (() => void)[] = [];
  #lastRefusalLogMs = Number.NEGATIVE_INFINITY;

  constructor(options: ListenerOptions) {
    this.key = options.key;
    this.#log = options.log;
    this.#limits = options.connectionLimits;
    this.#connectionOptions = {
      dispatcher: options.dispatcher,
      settings: options.settings,
      timers: options.timers,
      onClose: (connection) => this.#onConnectionClose(connection),
    };
    this.#headSenders = options.headSenders;
    this.#headOwner = {
      onHead: (connection, ends) => this.#takeHead(connection, ends),
      onHeadFailure: ({ facts }, reason) =>
        this.#logRefusal('warn', `connection of ${facts.peerAddress} closed: ${reason}`),
      onClose: (connection) => this.#onConnectionClose(connection),
    };
    // Half-open: a client may end its side and still wait for the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    acceptConnections(this.#server, (socket) => this.#accept(socket));
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** The requests under way, for a log line about what a shutdown waits for. */
  listExchanges(): Exchange[] {
    return [...this.#connections.keys()]
      .map(({ exchange }) => exchange)
      .filter((exchange) => exchange !== null);
  }

  /** Begins to accept, on a handle bound before or on an address. Rejects with the system's error. */
  listen(where: object | ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // A raw handle carries its address; the backlog counts for both.
      this.#server.listen(where as ListenOptions, backlog, () => {
        this.#server.removeListener('error', reject);
        this.#server.on('error', (error) => this.#onAcceptError(error));
        resolve();
      });
    });
  }

  /** The address in use, as node:net gives it. */
  get address(): ReturnType<Server['address']> {
    return this.#server.address();
  }

  /** New settings for the connections to come. */
  configure(settings: Http1Settings, headSenders: IpRangeTest | null): void {
    this.#connectionOptions = { ...this.#connectionOptions, settings };
    this.#headSenders = headSenders;
  }

  /** Accepts no more; resolves when the last connection has come to a polite end. */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      this.#server.close();
      for (const connection of this.#connections.keys()) connection.drain();
    }
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onDrained.push(resolve));
  }

  /** Accepts no more and ends every connection now. */
  close(): void {
    if (!this.#draining) this.#server.close();
    this.#draining = true;
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  #accept(socket: Socket): Receiver | null {
    const facts = readConnectionFacts(socket, this.key);
    if (facts === null) {
      socket.on('error', () => {});
      socket.destroy();
      return null;
    }
    if (this.#headSenders !== null && !this.#headSenders(facts.peerAddress)) {
      socket.on('error', () => {});
      socket.destroy();
      const why = 'it is none of "trustedProxies", and only they may say whose connection it is';
      this.#logRefusal('warn', `connection of ${facts.peerAddress} closed: ${why}`);
      return null;
    }
    if (!this.#admit(facts.peerAddress)) {
      refuseSocket(socket);
      return null;
    }
    return this.#headSenders === null ? this.#open(socket, facts) : this.#awaitHead(socket, facts);
  }

  #open(socket: Socket, facts: ConnectionFacts): Receiver {
    const connection = new ServerConnection(socket, facts, this.#connectionOptions);
    this.#connections.set(connection, facts.peerAddress);
    // Accepted by the kernel before the drain began.
    if (this.#draining) connection.drain();
    return connection;
  }

  #awaitHead(socket: Socket, facts: ConnectionFacts): Receiver {
    const { settings, timers } = this.#connectionOptions;
    const connection = new ProxiedConnection(
      socket,
      facts,
      settings.timeouts.header,
      timers,
      this.#headOwner,
    );
    this.#connections.set(connection, facts.peerAddress);
    if (this.#draining) connection.drain();
    return connection;
  }

  /** Until now the connection was counted for the proxy; from now on it is the client's. */
  #takeHead(connection: ProxiedConnection, ends: ProxiedEnds | null): Receiver | null {
    const { socket } = connection;
    const facts = ends === null ? connection.facts : { ...connection.facts, ...ends };
    this.#limits.release(connection.facts.peerAddress);
    const isAdmitted = this.#admit(facts.peerAddress);
    this.#connections.delete(connection);
    if (isAdmitted) return this.#open(socket, facts);
    refuseSocket(socket);
    this.#endDrain();
    return null;
  }

  /** Makes room by ending an idle connection, as nginx does, when the process has all it may have. */
  #admit(address: string): boolean {
    let admission = this.#limits.admit(address);
    if (admission === 'too-many' && this.#endIdle()) admission = this.#limits.admit(address);
    if (admission === 'admitted') return true;
    const of =
      admission === 'too-many' ? `${this.#limits.total} connections` : `too many connections from ${address}`;
    this.#logRefusal('warn', `${of}: the limit is reached, new ones are answered 503`);
    return false;
  }

  #endIdle(): boolean {
    let looks = 0;
    for (const [connection, address] of this.#connections) {
      if (connection.idle) {
        this.#connections.delete(connection);
        this.#limits.release(address);
        connection.destroy();
        return true;
      }
      if (++looks === maxIdleLooks) return false;
    }
    return false;
  }

  #onConnectionClose(connection: OpenConnection): void {
    const address = this.#connections.get(connection);
    if (address !== undefined) {
      this.#connections.delete(connection);
      this.#limits.release(address);
    }
    this.#endDrain();
  }

  #endDrain(): void {
    if (!this.#draining || this.#connections.size > 0) return;
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  #onAcceptError(error: Error): void {
    this.#logRefusal('crit', `cannot accept a connection: ${error.message}`);
  }

  #logRefusal(level: LogLevel, message: string): void {
    const nowMs = monotonicMs();
    if (nowMs - this.#lastRefusalLogMs < refusalLogPauseMs) return;
    this.#lastRefusalLogMs = nowMs;
    this.#log(level, `${this.key}: ${message}`);
  }
}
