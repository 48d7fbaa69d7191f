// What the protocols of the CGI family differ in on the way out: how the variables and the body of a request are
// written. The way back is cgi-response-reader's.

import type { Writable } from 'node:stream';
import type { ClientRequest } from '../message/upstream-connection.ts';

/** The protocols of the family. All of them carry the variables of RFC 3875. */
export type CgiProtocol = 'fastcgi' | 'uwsgi' | 'scgi';

/** Writes the requests of one protocol. */
export interface CgiCodec {
  /** Whether a connection may carry another request when the one before is over. */
  readonly keepsAlive: boolean;
  /**
   * All that stands before the body, latin1; with CONTENT_LENGTH, which `request.head` does not hold. Throws an HttpError
   * TSS_HEAD_TOO_LARGE when the protocol cannot carry so much.
   */
  renderHead(request: ClientRequest): string;
  /** Writes a part of the body. Returns whether the stream has room for more. */
  writeChunk(stream: Writable, chunk: Uint8Array): boolean;
  /** What follows the last byte of a body, latin1; "" for nothing. */
  readonly bodyEnd: string;
  /** What tells the peer that nobody waits for its answer any more, latin1; "" when closing has to do. */
  readonly abort: string;
}
