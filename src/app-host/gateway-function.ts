// The interface between tsserve and a web application, as types. An application module needs nothing of tsserve at
// run time: it imports these, if at all, with `import type`.

import type { IncomingMessage, ServerResponse } from 'node:http';

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

/** What the module of an application exports. */
export interface GatewayModule {
  readonly default: GatewayFunction | GatewayObject | NodeListener;
}
