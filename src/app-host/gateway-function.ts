// The interface between tsserve and a web application, as types. An application module needs nothing of tsserve at
// run time: it imports these, if at all, with `import type`. The rules behind them are those of docs/gateway.md.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Writes one event to the log of the server, formatted as `console.log` does it. An event of several lines stays one
 * after the other; each is labelled with the instance. May be taken from its context and called by itself.
 */
export type GatewayLog = (...values: unknown[]) => void;

/** What an application is told beside the request. */
export interface GatewayContext {
  /** Numeric address of the client, after the trusted-proxy rules of the server in front; "unix:" when it has none. */
  readonly clientAddress: string;
  /** The request's id, as the server's logs write it. */
  readonly requestId: string;
  /** Which instance of its upstream this is, from 1; also in the environment, as TSSERVE_INSTANCE. */
  readonly instance: number;
  /** Aborted when the client is gone before its answer was complete; the same as `request.signal`. */
  readonly signal: AbortSignal;
  /**
   * Work that goes on behind the answer. An instance that is told to end waits for it (as long as for requests);
   * a rejection is logged.
   */
  waitUntil(work: Promise<unknown>): void;
  /** Writes to the log, with the request's id at the start of the line. */
  readonly log: GatewayLog;
}

/**
 * A gateway function: takes a request, returns a response. A throw or a rejection is answered with 500 and logged
 * with its stack; so is anything returned that is not a Response.
 */
export type GatewayFunction = (request: Request, context: GatewayContext) => Response | Promise<Response>;

/** An application whose gateway function is its method `fetch`, which is called as such. */
export interface GatewayObject {
  fetch(request: Request, context: GatewayContext): Response | Promise<Response>;
}

/** An application in the form of Node's own server: `"interface": "node"` in the config. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** What an instance tells its application before the first request. */
export interface InstanceContext {
  /** The name of the upstream in the config; also in the environment, as TSSERVE_UPSTREAM. */
  readonly upstream: string;
  /** Which of the upstream's instances this is, from 1. */
  readonly instance: number;
  /**
   * Aborted when the instance begins to end: it takes nothing new, what runs may finish. The moment to end what would
   * run for ever, such as event streams and WebSockets.
   */
  readonly signal: AbortSignal;
  /** With `"interface": "node"`, the server that the listener is called by: for its "upgrade". Null otherwise. */
  readonly server: Server | null;
  /** Writes to the log. */
  readonly log: GatewayLog;
}

/** Called once before the first request. The instance takes requests when it has returned, or what it returned resolved. */
export type GatewayInit = (context: InstanceContext) => unknown;

/** Called once after the last request of an instance that ends. What it returns is waited for. */
export type GatewayClose = () => unknown;

/** What the module of an application exports. */
export interface GatewayModule {
  /** The application. A Server (of node:http, not listening) is one with `"interface": "node"`. */
  readonly default: GatewayFunction | GatewayObject | NodeListener | Server;
  readonly init?: GatewayInit;
  readonly close?: GatewayClose;
}
