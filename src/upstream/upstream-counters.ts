// What an upstream has decided for the requests that came to it, counted for a status page. All counts only grow.

/** Counts of one upstream since its settings were last changed. */
export class UpstreamCounters {
  /** Requests that looked for a peer. */
  requests = 0;
  /** Tries beyond the first of each request. */
  retries = 0;
  /** Requests that could have been tried again, had there not been too many of those already. */
  retriesRefused = 0;
  /** Requests that had to wait for a peer. */
  waits = 0;
  /** Requests that found no peer, not even after a wait. */
  turnedAway = 0;
  /** Requests that were given to peers although those were out, because too few were not. */
  panics = 0;
  /** Requests whose client was bound to a peer that could not take them. */
  rebound = 0;
}
