// A WebSocket on its way to an upstream: http-proxy sends the handshake and joins the sockets. What it sends, which
// answer it takes for a yes, and how every other end looks, is decided here.

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { monotonicMs } from '../../base/clock.ts';
import type { Deadline, TimerWheel } from '../../base/timer-wheel.ts';
import { describeError, findErrno } from '../../message/client-failure.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Fields } from '../../message/fields.ts';
import { HttpError } from '../../message/http-error.ts';
import type { Waiter } from '../../upstream/call-host.ts';
import type { PeerSlot } from '../../upstream/peer-slot.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { ClientWatch } from './client-watch.ts';
import { IdleWatch } from './idle-watch.ts';
import { loadHttpProxy } from './load-http-proxy.ts';
import type { ReadResponseFields } from './response-fields.ts';
import { endPolitely, resetStream } from './tunnel-ends.ts';
import { isHandshakeAccepted } from './websocket-handshake.ts';

/** A handshake, ready to be sent. */
export interface Handshake {
  readonly exchange: Exchange;
  readonly target: string;
  /** For the upstream, without those of this hop. */
  readonly fields: Fields;
  readonly key: string;
  readonly upstream: Upstream;
  readonly timers: TimerWheel;
  /** The fields of the answer that the client gets. */
  readonly readResponseFields: ReadResponseFields;
  /** Longest time without a byte in either direction, in milliseconds; 0 for no limit. */
  readonly idleTimeoutMs: number;
}

type Headers = Record<string, string | string[]>;

const reasons: Readonly<Record<number, string>> = {
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** What fails here for want of our own resources says nothing about a peer. */
const ownErrnos: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** How long a handshake waits before it looks for a peer again, unless it is told earlier. */
const waitStepMs = 100;

/** Sends the handshake to a peer and joins `client` with it; answers on `client` when that cannot be. */
export function openWebSocketTunnel(handshake: Handshake, client: Duplex, early: Uint8Array): void {
  new WebSocketTunnel(handshake, client, Buffer.from(early)).open();
}

class WebSocketTunnel implements Waiter {
  readonly #handshake: Handshake;
  readonly #client: Duplex;
  readonly #watch: ClientWatch;
  readonly #deadline: Deadline;
  readonly #createdAtMs = monotonicMs();
  #tried: PeerSlot[] = [];
  #tries = 0;
  #wait: Deadline | null = null;
  #idleWatch: IdleWatch | null = null;
  #slot: PeerSlot | null = null;
  /** The handshake under way. */
  #request: ClientRequest | null = null;
  /** The upstream's end of the tunnel. */
  #socket: Duplex | null = null;
  #startedAtMs = 0;
  #connected = false;
  #late = false;
  #lastError: HttpError | null = null;

  constructor(handshake: Handshake, client: Duplex, early: Buffer) {
    this.#handshake = handshake;
    this.#client = client;
    this.#deadline = handshake.timers.createDeadline(() => this.#onLate());
    this.#watch = new ClientWatch(client, early);
    client.on('error', () => {});
    client.once('close', () => this.#onClientClose());
  }

  /** Tries the next peer. */
  open(): void {
    const { exchange, upstream } = this.#handshake;
    const slot = upstream.pick(this.#tried, exchange);
    if (slot === null) {
      this.#waitOrRefuse();
      return;
    }
    slot.begin();
    this.#tried.push(slot);
    this.#tries++;
    this.#slot = slot;
    this.#connected = false;
    this.#late = false;
    this.#startedAtMs = monotonicMs();
    exchange.upstreamAddress = append(exchange.upstreamAddress, slot.peer.name);
    this.#deadline.set(upstream.timeouts.connect);
    try {
      this.#send(slot);
    } catch (error) {
      // Nobody above would give the client an answer any more.
      this.#end('-');
      this.#refuse(
        new HttpError('TSS_BUG', error instanceof Error ? (error.stack ?? error.message) : 'thrown'),
      );
    }
  }

  /** Looks for a peer again: an instance may have come, and those that failed may be back. */
  resume(): void {
    if (this.#wait === null) return;
    this.#endWait();
    this.#tried = [];
    this.open();
  }

  /** As every request does, a handshake waits for an application that starts, and for room. */
  #waitOrRefuse(): void {
    const { upstream } = this.#handshake;
    const isWorthIt =
      !this.#client.destroyed &&
      this.#lastError?.status !== 504 &&
      monotonicMs() - this.#createdAtMs < upstream.waitMs;
    const wait = isWorthIt ? upstream.wait(this) : null;
    if (wait === null) this.#refuse(this.#lastError ?? upstream.describeAbsence());
    else {
      this.#wait = wait;
      wait.set(waitStepMs);
    }
  }

  #endWait(): void {
    if (this.#wait === null) return;
    this.#wait.drop();
    this.#wait = null;
    this.#handshake.upstream.leave(this);
  }

  #send(slot: PeerSlot): void {
    const proxy = loadHttpProxy();
    const headers = toHeaders([...this.#handshake.fields, 'Connection', 'Upgrade', 'Upgrade', 'websocket']);
    const message = { method: 'GET', url: '/', headers };
    const onRequest = (request: ClientRequest, sent: unknown) => {
      if (sent !== message) return;
      // It would merge the slashes of the target.
      request.path = this.#handshake.target;
      this.#request = request;
    };
    proxy.on('proxyReqWs', onRequest);
    const agent = {
      addRequest: (request: ClientRequest) => {
        const socket = slot.peer.openSocket(this.#handshake.exchange);
        // The request listens to it only later.
        socket.on('error', (error) => request.destroy(error));
        socket.on('free', () => socket.destroy());
        request.onSocket(socket);
      },
    };
    // Where to is the peer's to know, and what is spoken there.
    const options = { target: { protocol: 'http:', host: 'localhost', port: 80 }, agent, toProxy: true };
    proxy.ws(message as unknown as IncomingMessage, this.#client as never, Buffer.alloc(0), options);
    proxy.off('proxyReqWs', onRequest);
    const request = this.#request;
    if (request === null) throw new Error('http-proxy sent no request');
    this.#takeOver(request);
  }

  /** Puts our judgement in front of what http-proxy does with each outcome. Only the joining stays its own. */
  #takeOver(request: ClientRequest): void {
    const [join] = request.listeners('upgrade');
    for (const event of ['upgrade', 'response', 'error']) request.removeAllListeners(event);
    const ready = this.#slot?.peer.isSecure === true ? 'secureConnect' : 'connect';
    request.once('socket', (socket) => socket.once(ready, () => this.#onConnect()));
    request.on('error', (error) => this.#onError(error));
    request.once('response', (response) => this.#relay(response));
    request.once('upgrade', (response, socket, head) => {
      if (!this.#accept(response, socket)) return;
      this.#watch.release();
      join.call(request, response, socket, head);
      this.#request = null;
      this.#socket = socket;
      this.#watchIdle(socket as Socket);
      socket.once('close', () => {
        this.#end('');
        if (this.#client.destroyed) this.#deadline.drop();
        else endPolitely(this.#client, this.#deadline);
      });
    });
  }

  #watchIdle(socket: Socket): void {
    const { idleTimeoutMs, timers, exchange } = this.#handshake;
    if (idleTimeoutMs === 0) return;
    this.#idleWatch = new IdleWatch(timers, socket, idleTimeoutMs, () => {
      exchange.abortedBy ??= 'server';
      socket.destroy();
    });
  }

  /** A client that has said its end may have sent something before it: the upstream gets that. */
  #onClientClose(): void {
    const socket = this.#socket;
    this.#endWait();
    this.#end(socket === null ? '-' : '');
    if (socket === null || socket.destroyed) this.#deadline.drop();
    else if (this.#client.readableEnded) endPolitely(socket, this.#deadline);
    else socket.destroy();
  }

  #onConnect(): void {
    this.#connected = true;
    this.#deadline.set(this.#handshake.upstream.timeouts.read);
  }

  #accept(response: IncomingMessage, socket: Duplex): boolean {
    this.#deadline.clear();
    if (response.statusCode !== 101 || !isHandshakeAccepted(response.rawHeaders, this.#handshake.key)) {
      socket.destroy();
      this.#fail(
        new HttpError('TSS_UPSTREAM_RESPONSE', this.#describe('a 101 that does not fit the handshake')),
      );
      return false;
    }
    this.#slot?.succeed();
    const { exchange, readResponseFields } = this.#handshake;
    exchange.upstreamStatus = append(exchange.upstreamStatus, '101');
    const fields = [
      ...readResponseFields(exchange, response.rawHeaders),
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
    ];
    response.headers = toHeaders(fields) as IncomingMessage['headers'];
    return true;
  }

  #onLate(): void {
    this.#late = true;
    if (this.#request?.destroyed === false && this.#slot !== null)
      this.#request.destroy(new Error('timed out'));
    else {
      this.#socket?.destroy();
      this.#client.destroy();
    }
  }

  #onError(error: Error): void {
    const slot = this.#slot;
    if (slot === null || this.#client.destroyed) return;
    const detail = this.#describe(`${this.#connected ? 'handshake' : 'connect'}: ${describeError(error)}`);
    if (this.#connected) {
      this.#fail(new HttpError(this.#late ? 'TSS_UPSTREAM_TIMEOUT' : 'TSS_UPSTREAM_CLOSED', detail));
      return;
    }
    if (ownErrnos.has(findErrno(error))) {
      this.#fail(new HttpError('TSS_OVERLOADED', detail));
      return;
    }
    // Nothing was sent: another peer may be better.
    const errorCode = this.#late ? 'TSS_UPSTREAM_CONNECT_TIMEOUT' : 'TSS_UPSTREAM_CONNECT';
    this.#lastError = new HttpError(errorCode, detail);
    slot.fail();
    this.#end(String(this.#lastError.status));
    if (this.#mayTryAgain()) this.open();
    else this.#refuse(this.#lastError);
  }

  #mayTryAgain(): boolean {
    const { tries, timeout } = this.#handshake.upstream.retries;
    if (tries > 0 && this.#tries >= tries) return false;
    return timeout === 0 || monotonicMs() - this.#createdAtMs < timeout;
  }

  #describe(what: string): string {
    return `${this.#slot?.peer.name}: ${what}`;
  }

  /**
   * No failure of the peer: many servers refuse a handshake by closing, and whoever asks for one could take them all
   * out with it.
   */
  #fail(error: HttpError): void {
    this.#end(String(error.status));
    this.#refuse(error);
  }

  #refuse(error: HttpError): void {
    const { exchange } = this.#handshake;
    exchange.status = error.status;
    exchange.failure = error;
    exchange.abortedBy = error.status === 500 || error.code === 'TSS_OVERLOADED' ? 'server' : 'upstream';
    this.#watch.release();
    const text = `${error.status} ${reasons[error.status] ?? ''}`.trim();
    this.#client.write(
      `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}\n`,
    );
    endPolitely(this.#client, this.#deadline);
  }

  /** An answer that is no upgrade: the client gets it as it is, and then the end. */
  #relay(response: IncomingMessage): void {
    const { exchange, readResponseFields } = this.#handshake;
    const status = response.statusCode ?? 502;
    this.#slot?.succeed();
    exchange.status = status;
    exchange.upstreamStatus = append(exchange.upstreamStatus, String(status));
    this.#watch.release();
    // Whatever it sends now goes nowhere; reading it is how its end is noticed.
    this.#client.resume();
    let head = `HTTP/1.1 ${status} ${response.statusMessage ?? ''}\r\n`;
    const fields = readResponseFields(exchange, response.rawHeaders);
    for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
    this.#client.write(`${head}Connection: close\r\n\r\n`, 'latin1');
    response.pipe(this.#client, { end: false });
    response.on('error', () => {});
    response.once('close', () => {
      // The end is all that tells the client that the body is complete, so a cut must not look like one.
      if (response.complete) endPolitely(this.#client, this.#deadline);
      else resetStream(this.#client);
      this.#end('');
    });
    const { read } = this.#handshake.upstream.timeouts;
    this.#deadline.set(read);
    response.on('data', () => this.#deadline.set(read));
  }

  /** The peer is given back, and its connection closed unless it ends by itself. */
  #end(status: string): void {
    const slot = this.#slot;
    const request = this.#request;
    this.#slot = null;
    this.#request = null;
    this.#idleWatch?.drop();
    if (slot === null) return;
    this.#deadline.clear();
    request?.destroy();
    slot.end();
    const { exchange } = this.#handshake;
    const seconds = ((monotonicMs() - this.#startedAtMs) / 1000).toFixed(3);
    if (status !== '') exchange.upstreamStatus = append(exchange.upstreamStatus, status);
    exchange.upstreamTime = append(exchange.upstreamTime, seconds);
  }
}

/** Fields as Node takes them: one entry per name. No name of a client is ever looked up in it. */
function toHeaders(fields: Fields): Headers {
  const headers: Headers = Object.create(null) as Headers;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i].toLowerCase();
    const known = headers[name];
    if (known === undefined) headers[name] = fields[i + 1];
    else if (Array.isArray(known)) known.push(fields[i + 1]);
    else headers[name] = [known, fields[i + 1]];
  }
  return headers;
}

function append(list: string, item: string): string {
  return list === '' ? item : `${list}, ${item}`;
}
