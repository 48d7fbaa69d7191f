// The settings that decide which servers of an upstream take requests: of each server, and of all of them together.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { duration } from '../config/shape/duration.ts';
import type { BalanceSettings } from './balance-shape.ts';
import { type HealthSettings, healthShape } from './health-shape.ts';
import { outliersShape } from './outlier-shape.ts';
import type { ServerAddress } from './server-address-shape.ts';

/** To be spread into the shape of a server. */
export const dutyKeys = {
  drain: z
    .boolean()
    .prefault(false)
    .describe('Takes only requests of clients that "sticky" has bound to it. Default false.'),
  maxConns: z
    .int()
    .min(0)
    .prefault(0)
    .describe(
      'Most requests that each front worker has under way at the server; more go to others, or wait. 0 for any number. ' +
        'Default 0.',
    ),
  slowStart: duration()
    .prefault(0)
    .describe(
      'Time in which the weight of a server grows from nearly nothing to all of it after it was out; 0 for at once. ' +
        'Default 0.',
    ),
};

/** To be spread into the shape of an upstream of servers. */
export const availabilityKeys = {
  health: healthShape
    .optional()
    .describe(
      'Has each front worker check each server: by a request for this path, or by what the object says. Default: none.',
    ),
  outliers: outliersShape
    .optional()
    .describe('Takes servers out whose answers are errors. Default: answers never do.'),
  panic: z
    .int()
    .min(0)
    .max(100)
    .prefault(1)
    .describe(
      'While fewer servers than this, in percent, are available, requests go to all as if all were; and a request for ' +
        'which no available server is left tries the others. 0 has such requests answered 503 at once. Default 1.',
    ),
  queue: z
    .int()
    .min(0)
    .max(65_536)
    .prefault(1024)
    .describe(
      'Requests that wait, in each front worker, while all servers have "maxConns", at most for "timeouts.connect"; ' +
        'more are answered 503. Default 1024.',
    ),
};

interface AvailabilitySettings {
  readonly servers: readonly { readonly url: ServerAddress; readonly slowStart: number }[];
  readonly balance: BalanceSettings;
  readonly health?: HealthSettings | undefined;
}

/** What does not go together. */
export function checkAvailability(
  { servers, balance, health }: AvailabilitySettings,
  context: ProblemSink,
): void {
  const isHashed = balance === 'ip_hash' || typeof balance === 'object';
  const slow = servers.findIndex(({ slowStart }) => slowStart > 0);
  if (isHashed && slow !== -1) {
    const problem = 'with a hash a request has one server, whose weight does not grow';
    addProblem(context, problem, 'leave it out, or choose another "balance"', ['servers', slow, 'slowStart']);
  }
  const { protocol } = servers[0].url;
  if (health?.path !== undefined && protocol !== undefined && protocol !== 'https') {
    const hint = 'leave "path" out: then a connection is the check';
    addProblem(context, `${protocol} is not checked by a request`, hint, ['health']);
  }
  if (health?.port !== undefined && servers.some(({ url }) => 'path' in url)) {
    addProblem(context, 'a socket has no port', 'leave it out', ['health', 'port']);
  }
}
