// One address that requests go to: its idle connections, its health, and what is under way. Shared by every upstream
// that names the same address with the same settings, and kept across reloads.

import type { Socket } from 'node:net';
import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { CgiConnection } from '../cgi/cgi-connection.ts';
import { ClientConnection } from '../http1/client-connection.ts';
import { type ClientTls, openClientSocket } from '../http1/open-client-socket.ts';
import type { ResponseLimits } from '../http1/parse-response-head.ts';
import type { ClientAddress, ConnectionOwner, UpstreamConnection } from '../message/upstream-connection.ts';
import { MuxLink } from '../mux/mux-link.ts';
import { PeerCounters } from './peer-counters.ts';
import { PeerHealth } from './peer-health.ts';
import { type ProxiedClient, toProxyHead } from './proxy-protocol.ts';
import { ResponseTime } from './response-time.ts';
import type { ServerProtocol } from './server-address-shape.ts';

/** As much as any server's answer needs; a larger head is an attack or a mistake. */
const responseLimits: ResponseLimits = { head: 64 * 1024, fields: 1000 };

/**
 * The oldest idle connection that a request takes which could not be sent again. Servers in use close idle
 * connections after 2 s (gunicorn) or more, and a new connection costs less than a failed POST.
 */
const carefulIdleMs = 1000;

/** How much earlier than the peer we close, so that no request meets its end on the way. */
const idleMarginMs = 1000;

/** Between two attempts to have one connection for many requests. */
const linkPauseMs = 1000;

/** Where a peer listens, and what is spoken there: HTTP/1.1 unless it says otherwise. */
export type PeerAddress = ClientAddress & { readonly protocol?: ServerProtocol | undefined };

/** What a peer is made of. Plain values: two peers with equal ones are the same peer. */
export interface PeerSettings {
  readonly address: PeerAddress;
  /** Idle connections that are kept. */
  readonly keepalive: number;
  /** Longest time that a connection is kept idle, unless the peer says it closes earlier. */
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  /** The name on its certificate, and what tells one TLS from another; null without TLS. */
  readonly tls: { readonly name: string; readonly fingerprint: string } | null;
  /** What each connection begins with, besides what HTTP says. */
  readonly proxyProtocol: 'v1' | 'v2' | null;
  /** Whether it is an instance of ours that takes many requests over one connection. */
  readonly isMultiplexed?: boolean;
}

/** One peer. */
export class Peer implements ConnectionOwner {
  /** "127.0.0.1:8001", "[::1]:8001" or "unix:/run/app.sock". */
  readonly name: string;
  readonly address: ClientAddress;
  readonly health: PeerHealth;
  readonly counters = new PeerCounters();
  readonly responseTime = new ResponseTime();
  readonly #settings: PeerSettings;
  readonly #open: (client: ProxiedClient) => UpstreamConnection;
  readonly #tls: ClientTls | null;
  readonly #timers: TimerWheel;
  /** The one used last comes last. */
  readonly #idle: UpstreamConnection[] = [];
  #link: MuxLink | null = null;
  #nextLinkMs = 0;
  #closed = false;
  /** Requests under way. */
  inFlight = 0;
  /** Requests so far, tries included. */
  requests = 0;
  /** Failures so far that say something about the peer. */
  failures = 0;

  /** `tls` is what `settings.tls` tells of. */
  constructor(settings: PeerSettings, tls: ClientTls | null, timers: TimerWheel, log: Log) {
    const { address, connectTimeoutMs, keepalive, proxyProtocol } = settings;
    this.name = describeAddress(address);
    this.address = address;
    this.health = new PeerHealth(settings.maxFails, settings.failTimeoutMs);
    this.#settings = settings;
    this.#tls = tls;
    this.#timers = timers;
    const options = { address, tls, connectTimeoutMs, limits: responseLimits, timers, owner: this };
    const { protocol } = address;
    if (protocol !== undefined && protocol !== 'https') {
      const cgiOptions = { ...options, protocol, keepsAlive: keepalive > 0, name: this.name, log };
      this.#open = () => new CgiConnection(cgiOptions);
    } else if (proxyProtocol === null) this.#open = () => new ClientConnection(options);
    else this.#open = (client) => new ClientConnection(options, toProxyHead(proxyProtocol, client));
  }

  /** Whether no upstream has a use for it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many connections wait for a request. */
  get idleCount(): number {
    return this.#idle.length;
  }

  /**
   * A connection for one request: the one used last, or a new one. `careful` is for requests that have content, or could
   * not be sent again: they ride no connection that the peer may be about to close, nor one with other requests.
   */
  takeConnection(careful: boolean, client: ProxiedClient): UpstreamConnection {
    if (!careful && this.#settings.isMultiplexed) {
      if (this.#link?.ready) return this.#link.takeStream();
      if (this.#link === null) this.#openLink();
    }
    const last = this.#idle.at(-1);
    if (last === undefined || (careful && last.idleMs > carefulIdleMs)) return this.openConnection(client);
    this.#idle.pop();
    return last;
  }

  /** A connection that has carried no request yet. */
  openConnection(client: ProxiedClient): UpstreamConnection {
    return this.#open(client);
  }

  /**
   * A socket to the peer that begins to connect, for who speaks on it himself. It is ready when it says `connect`, or
   * `secureConnect` if the peer is secure. A `port` takes the place of the peer's own.
   */
  openSocket(client: ProxiedClient, port: number | null = null): Socket {
    const { proxyProtocol } = this.#settings;
    const preface = proxyProtocol === null ? null : toProxyHead(proxyProtocol, client);
    return openClientSocket({ address: this.#replacePort(port), tls: this.#tls }, preface, null);
  }

  /** A connection of HTTP that belongs to somebody else: it is never kept for requests. */
  openForeign(client: ProxiedClient, port: number | null, owner: ConnectionOwner): UpstreamConnection {
    const { connectTimeoutMs, proxyProtocol } = this.#settings;
    const preface = proxyProtocol === null ? null : toProxyHead(proxyProtocol, client);
    const options = { connectTimeoutMs, limits: responseLimits, timers: this.#timers, owner };
    return new ClientConnection({ ...options, address: this.#replacePort(port), tls: this.#tls }, preface);
  }

  #replacePort(port: number | null): ClientAddress {
    return port === null || 'path' in this.address ? this.address : { ...this.address, port };
  }

  /** Whether TLS is spoken to it. */
  get isSecure(): boolean {
    return this.#tls !== null;
  }

  onIdle(connection: UpstreamConnection, peerTimeoutMs: number | null): void {
    const { idleTimeoutMs, keepalive } = this.#settings;
    const timeoutMs =
      peerTimeoutMs === null ? idleTimeoutMs : Math.min(idleTimeoutMs, peerTimeoutMs - idleMarginMs);
    if (this.#closed || this.#idle.length >= keepalive || timeoutMs <= 0) {
      connection.abort();
      return;
    }
    this.#idle.push(connection);
    connection.park(timeoutMs);
  }

  onClosed(connection: UpstreamConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Closes what is idle. Requests under way come to their end. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#idle]) connection.abort();
    this.#link?.close();
  }

  /** Requests go the usual way until it is there. */
  #openLink(): void {
    const { address } = this;
    const nowMs = monotonicMs();
    if (!('path' in address) || this.#closed || nowMs < this.#nextLinkMs) return;
    this.#nextLinkMs = nowMs + linkPauseMs;
    this.#link = new MuxLink({
      path: address.path,
      timers: this.#timers,
      onClosed: (refused) => {
        this.#link = null;
        if (refused) this.#nextLinkMs = Number.POSITIVE_INFINITY;
      },
    });
  }
}

function describeAddress(address: ClientAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
