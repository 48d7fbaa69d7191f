// What a connection to an upstream is, whatever protocol it speaks: it carries one request at a time and gives back one
// response for each. The protocol rooms make such connections; upstream/ decides which one a request takes.

import type { BodySource } from './body.ts';
import type { Fields } from './fields.ts';
import type { ReplyBody } from './reply.ts';

/** Where an upstream listens. */
export type ClientAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** A request, ready to be sent. */
export interface ClientRequest {
  readonly method: string;
  /**
   * What stands before the body, latin1, without what frames the message. For HTTP/1.1 the request line and the field
   * lines, each with its CRLF, and no empty line. For the CGI family the variables, each as name NUL value NUL.
   */
  readonly head: string;
  /** Null for none. A length of null is sent chunked, which HTTP/1.1 alone can. Read once. */
  readonly body: BodySource | null;
  /** Longest time between two writes that the peer takes up, in milliseconds; 0 for no limit. */
  readonly sendTimeoutMs: number;
  /** Longest time until the first byte of the response, and between two reads; 0 for no limit. */
  readonly readTimeoutMs: number;
  /** Longest time until the first byte of the response, if it is another; 0 for no limit. */
  readonly firstByteTimeoutMs?: number;
}

/** The final response to a request. */
export interface ClientResponse {
  /** 200 to 599. */
  readonly status: number;
  /** As on the wire, framing and hop-by-hop fields included. */
  readonly fields: Fields;
  /** Bytes when the whole body came with the head, else a source. After HEAD and with 304 only its length counts. */
  readonly body: ReplyBody;
}

/** Who sent a request. Either `onFailure`, or `onResponse` and then `onEnd`; neither after `abort`. */
export interface ClientListener {
  onResponse(response: ClientResponse): void;
  /** No response will come. The error is a ClientFailure, or what the source of the request's body failed with. */
  onFailure(error: Error): void;
  /** The connection has no more to do with this request, however its response ended. */
  onEnd(): void;
}

/** Who keeps a connection. */
export interface ConnectionOwner {
  /** It may carry another request. `idleTimeoutMs` is how long the peer says it waits for one, null if unsaid. */
  onIdle(connection: UpstreamConnection, idleTimeoutMs: number | null): void;
  /** It is gone, for whatever reason. Called once. */
  onClosed(connection: UpstreamConnection): void;
}

/** A connection to an upstream. Begins to connect when it is made. */
export interface UpstreamConnection {
  /** Whether the connection had carried a request before the one under way. */
  readonly reused: boolean;
  /** How long the connection has waited for its next request, in milliseconds. */
  readonly idleMs: number;
  /** Sends a request. Only on a new connection, or on one that its owner was told is idle. */
  send(request: ClientRequest, listener: ClientListener): void;
  /** Keeps an idle connection for so long, then closes it. */
  park(idleTimeoutMs: number): void;
  /** Closes the connection. A request under way ends without a callback, a body that is being read with an error. */
  abort(): void;
}
