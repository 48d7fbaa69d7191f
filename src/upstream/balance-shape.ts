// The settings of how requests are spread over peers, and of binding a client to one of them.

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { duration } from '../config/shape/duration.ts';
import { templateText } from '../config/shape/template-text.ts';

const hashShape = z.strictObject({
  hash: templateText().describe(
    'Requests with the same text go to the same server, such as "$arg_user" or "$request_uri"; when servers come or ' +
      'go, as few as possible move. Requests for which it is empty are spread as by "round_robin".',
  ),
  bound: z
    .number()
    .min(1.05)
    .max(10)
    .or(z.literal(0))
    .prefault(1.25)
    .describe(
      'A server that has more than so many times the mean of requests under way is passed over; 0 for any number. ' +
        'Default 1.25.',
    ),
});

/** The key `balance`, with the default that suits the kind of upstream. */
export function balanceKey(standard: 'round_robin' | 'least_conn') {
  return z
    .union([z.enum(['round_robin', 'least_conn', 'random', 'ip_hash', 'least_time']), hashShape])
    .prefault(standard)
    .describe(
      '"round_robin": in turn, by weight; "least_conn": the one with the fewest requests under way, by weight; ' +
        '"random": of two that chance draws, the one with fewer; "ip_hash": by the address of the client (of IPv4 its ' +
        'first three numbers); "least_time": the one that has answered fastest, by requests under way and weight; ' +
        `{ "hash": … }: by any text. Default "${standard}".`,
    );
}

/** Clients stay bound through reloads; a restart binds them anew. */
const secretOfThisStart = randomBytes(32).toString('hex');

/** Binds clients to peers by a cookie. */
export const stickyShape = z
  .strictObject({
    cookie: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'this is not the name of a cookie')
      .describe('Name of the cookie. Its value says nothing about the server.'),
    secret: z
      .string()
      .min(16)
      .optional()
      .describe('Key of its values, the same on all machines. Default: chosen at each start.'),
    maxAge: duration()
      .prefault(0)
      .describe('How long clients keep it; 0 for as long as they run. Default 0.'),
    path: z
      .string()
      .regex(/^\/[^;\s\x00-\x1f\x7f]*$/, 'a path begins with "/"')
      .prefault('/')
      .describe('Path that it is sent for. Default "/".'),
    domain: z
      .string()
      .regex(/^[a-z0-9.-]+$/i, 'this is not a domain')
      .optional()
      .describe('Domain that it is sent to. Default: the host that was asked.'),
    secure: z
      .enum(['auto', 'always', 'never'])
      .prefault('auto')
      .describe('Whether it is marked Secure; "auto": on connections with TLS. Default "auto".'),
    sameSite: z.enum(['Strict', 'Lax', 'None']).prefault('Lax').describe('Its SameSite. Default "Lax".'),
  })
  .transform(({ secret = secretOfThisStart, ...rest }) => ({ ...rest, secret }));

/** Checked settings of balancing. */
export type BalanceSettings = z.output<ReturnType<typeof balanceKey>>;
/** Checked settings of binding clients. `maxAge` in milliseconds. */
export type StickySettings = z.output<typeof stickyShape>;
