// The settings that every kind of upstream has: how its connections are kept, how long to wait, what is tried again.

import { z } from 'zod';
import { duration, positiveDuration } from '../config/shape/duration.ts';

const timeoutsShape = z.strictObject({
  connect: limit('For a connection to a server, or for an instance of an application to become ready', '5s'),
  send: limit('Between two writes of a request', '60s'),
  read: limit('For the first byte of a response, and between two reads of it', '60s'),
});

const retriesShape = z.strictObject({
  tries: z
    .int()
    .min(0)
    .prefault(0)
    .describe('Most servers that one request is tried on; 0 for all of them. Default 0.'),
  timeout: duration()
    .prefault(0)
    .describe('Time after which a request is not tried on another server; 0 for no limit. Default 0.'),
});

/** The key `keepalive`, without a default. */
export const keepaliveKey = z.int().min(0);

/** What it means. */
export const keepaliveMeaning =
  'Idle connections that each front worker keeps to each server. Fewer than there are requests at a time makes for ' +
  'connections that are closed and opened again and again.';

/** To be spread into the shape of an upstream. */
export const forwardingKeys = {
  keepalive: keepaliveKey.prefault(128).describe(`${keepaliveMeaning} Default 128.`),
  timeouts: timeoutsShape.prefault({}).describe('How long to wait for a server.'),
  retries: retriesShape.prefault({}).describe('How far a request that failed is tried elsewhere.'),
};

/** The key `balance`, with the default that suits the kind of upstream. */
export function balanceKey(standard: 'round_robin' | 'least_conn') {
  return z
    .enum(['round_robin', 'least_conn'])
    .prefault(standard)
    .describe(
      '"round_robin": in turn, by weight; "least_conn": the one with the fewest requests under way, by weight. ' +
        `Default "${standard}".`,
    );
}

function limit(meaning: string, standard: string) {
  return positiveDuration().prefault(standard).describe(`${meaning}. Default "${standard}".`);
}
