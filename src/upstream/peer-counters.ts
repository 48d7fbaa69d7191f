// What has happened to the requests that went to one peer, counted for a status page. All counts only grow.

import type { ClientFailure } from '../message/client-failure.ts';

/** Counts of one peer since it was first used. */
export class PeerCounters {
  /** Connections that could not be made. */
  refused = 0;
  /** Connections that took too long to be made. */
  connectTimeouts = 0;
  /** Connections that ended before there was a whole response head. */
  cuts = 0;
  /** Requests that the peer took up, or answered, too slowly. */
  timeouts = 0;
  /** Answers that are no proper responses. */
  invalid = 0;
  /** Answers from 500 to 599. */
  serverErrors = 0;
  /** Requests sent again to the same peer because it had closed the connection that it had kept. */
  resends = 0;
  /** Requests that went on to another peer after this one had failed. */
  passedOn = 0;
  /** Times that failures took the peer out. */
  outages = 0;
  /** Requests that were to show whether a peer that is out is back. */
  probes = 0;
  /** Times that its answers took it out, as an outlier. */
  ejections = 0;
  /** Health checks that the peer has passed. */
  checksPassed = 0;
  /** Health checks that the peer has not passed. */
  checksFailed = 0;
  /** Times that health checks took the peer out. */
  checkOutages = 0;

  /** Counts a failure under what it was. */
  countFailure({ facts: { phase, cause } }: ClientFailure): void {
    if (cause === 'response') this.invalid++;
    else if (phase === 'connect' && cause === 'timeout') this.connectTimeouts++;
    else if (phase === 'connect') this.refused++;
    else if (cause === 'timeout') this.timeouts++;
    else if (cause === 'cut') this.cuts++;
  }
}

/** The counts alone. */
export type PeerCounts = Readonly<Omit<PeerCounters, 'countFailure'>>;
