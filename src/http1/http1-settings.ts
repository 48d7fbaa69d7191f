// What an HTTP/1.1 server connection can be told. Plain values: a listener's settings come from the config.

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
  readonly limits: HeadLimits;
}
