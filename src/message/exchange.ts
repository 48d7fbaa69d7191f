// One request with everything the rooms on its road know of it. Made by a protocol room, pinned to one Site.
// All members exist from the start (one hidden class); facts for the log are fixed members, not a bag.

import { randomBytes } from 'node:crypto';
import { emptyRequestBody, type RequestBody } from './body.ts';
import type { Fields } from './fields.ts';

/** What is known of a connection before its first byte: shared by all its exchanges. */
export interface ConnectionFacts {
  /** Numeric address of the peer, or "unix:" for a unix socket. IPv4-mapped IPv6 addresses are given as IPv4. */
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly scheme: 'http' | 'https';
  /** The listener that took the connection (its canonical key: "tcp:[::]:8080", "unix:/run/x.sock"). */
  readonly listenerKey: string;
  /** A serial number within this process, as nginx's $connection. */
  readonly serial: number;
}

/** Who ended the exchange before it was complete. */
export type AbortedBy = 'client' | 'server' | 'upstream' | null;

/** Whoever must be told when an exchange is over: the Site that it is pinned to. */
export interface ExchangeKeeper {
  /** Called once, when nothing of the exchange will happen any more. */
  release(exchange: Exchange): void;
}

/** A request under way. */
export class Exchange {
  readonly connection: ConnectionFacts;
  /** Changed only by an internal redirect that goes on as a GET. */
  method: string;
  /** The request target in origin-form as received ("/a%20b?c"), or "*". Query included. */
  readonly target: string;
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  readonly fields: Fields;
  /** The host asked for: lower case, without port and trailing dot; "" when the request named none (HTTP/1.0). */
  readonly host: string;
  /** Changed only by an internal redirect that goes on without it. */
  body: RequestBody;

  /**
   * The one canonical path that every stage uses: percent-decoded once, dot segments resolved, slashes merged.
   * Bytes that are not UTF-8 appear as lone surrogates U+DC80..U+DCFF. Set by server/dispatch; changed only by an
   * internal redirect.
   */
  path = '';
  /** The query without "?", as received; "" when there is none. Changed only by an internal redirect. */
  query = '';
  /** Whether an internal redirect has changed `path` and `query`: then `target` no longer tells where to go. */
  redirected = false;

  /** The method as received. */
  readonly requestMethod: string;

  /** The client, after the trusted-proxy rules. */
  clientAddress: string;

  // Facts for the log.
  readonly startedAtMs: number;
  serverName = '';
  routePath = '';
  status = 0;
  /** Body bytes handed to the socket. */
  bodyBytesSent = 0;
  /** Upstream peers tried, joined by ", " as nginx's $upstream_addr. */
  upstreamAddress = '';
  upstreamStatus = '';
  /** Seconds per peer tried, joined by ", ". */
  upstreamTime = '';
  /** What became of each try, in a word: "answered", "refused", "cut" … */
  upstreamOutcome = '';
  abortedBy: AbortedBy = null;
  /** Why the reply could not be completed, for the error log. */
  failure: Error | null = null;
  /** Set by server/dispatch, and released by it. */
  keeper: ExchangeKeeper | null = null;
  /** Called when the client is gone before its answer was complete. Set by a handler that wants to stop working. */
  onAbort: (() => void) | null = null;
  #requestId = '';

  constructor(
    connection: ConnectionFacts,
    method: string,
    target: string,
    httpVersion: '1.0' | '1.1' | '2.0',
    fields: Fields,
    host: string,
    body: RequestBody = emptyRequestBody,
    startedAtMs = 0,
  ) {
    this.connection = connection;
    this.method = method;
    this.requestMethod = method;
    this.target = target;
    this.httpVersion = httpVersion;
    this.fields = fields;
    this.host = host;
    this.body = body;
    this.clientAddress = connection.peerAddress;
    this.startedAtMs = startedAtMs;
  }

  /** The client is gone: tells whoever works for it, once, and gives whether there is anybody. */
  abort(): boolean {
    const { onAbort } = this;
    this.onAbort = null;
    onAbort?.();
    return onAbort !== null;
  }

  /** 32 random hexadecimal digits, made when first asked for. */
  get requestId(): string {
    if (this.#requestId === '') this.#requestId = createRequestId();
    return this.#requestId;
  }
}

let random = Buffer.alloc(0);
let randomUsed = 0;

/** Random bytes are drawn for many requests at once: a call for each costs more than all the rest of this file. */
function createRequestId(): string {
  if (randomUsed === random.length) {
    random = randomBytes(4096);
    randomUsed = 0;
  }
  randomUsed += 16;
  return random.toString('hex', randomUsed - 16, randomUsed);
}
