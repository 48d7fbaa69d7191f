// What an HTTP/1.1 server connection is given, and how its owner may steer it.

import type { TimerWheel } from '../base/timer-wheel.ts';
import type { Exchange } from '../message/exchange.ts';
import type { Dispatcher } from '../message/handler.ts';
import type { HeadLimits } from './parse-request-head.ts';

/** Deadlines and limits of a server connection. */
export interface Http1Settings {
  /** Milliseconds. */
  readonly timeouts: {
    /** For a whole request head, from its first byte (or from the accept of the connection). */
    readonly header: number;
    /** Between two reads of a request body. */
    readonly body: number;
    /** Between two writes of a response. */
    readonly send: number;
    /** For the next request on an idle connection. */
    readonly keepalive: number;
  };
  readonly limits: HeadLimits & {
    /** Bytes a second of a request body, averaged over the time spent waiting for it; 0 for no limit. */
    readonly bodyRate: number;
  };
}

/** What a connection works with. One object serves all connections of a listener. */
export interface ServerConnectionOptions {
  readonly dispatcher: Dispatcher;
  readonly settings: Http1Settings;
  readonly timers: TimerWheel;
  /** Called once, when the socket is closed for good. */
  onClose(connection: OpenConnection): void;
}

/** A connection as its listener sees it. */
export interface OpenConnection {
  /** Whether no request is under way. */
  readonly idle: boolean;
  /** The request under way, for a log line about what a shutdown waits for. */
  readonly exchange: Exchange | null;
  /** Ends the connection politely: behind the request under way, or after a short quiet time. */
  drain(): void;
  /** Ends the connection now. */
  destroy(): void;
}
