// The settings that every kind of upstream has: how its connections are kept, how long to wait, what is tried again.

import { z } from 'zod';
import { duration, positiveDuration } from '../config/shape/duration.ts';
import { stickyShape } from './balance-shape.ts';
import { retriesShape } from './retry-shape.ts';

const timeoutsShape = z.strictObject({
  connect: limit('For a connection to a server, or for an instance of an application to become ready', '5s'),
  send: limit('Between two writes of a request', '60s'),
  firstByte: positiveDuration()
    .optional()
    .describe('For the first byte of a response, from the last of the request on. Default: as "read".'),
  read: limit('Between two reads of a response', '60s'),
  request: duration()
    .prefault(0)
    .describe(
      'For a request as a whole, all tries and the whole response included; 0 for no limit. Default 0.',
    ),
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
  sticky: stickyShape.optional().describe('Binds each client to one server, by a cookie. Default: none.'),
  retries: retriesShape.prefault({}).describe('How far a request that failed is tried elsewhere.'),
};

function limit(meaning: string, standard: string) {
  return positiveDuration().prefault(standard).describe(`${meaning}. Default "${standard}".`);
}
