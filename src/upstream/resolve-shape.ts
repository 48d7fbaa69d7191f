// The settings of how the host names of an upstream's servers are looked up.

import { isIP, isIPv6 } from 'node:net';
import { z } from 'zod';
import { addProblem } from '../config/shape/add-problem.ts';
import { positiveDuration } from '../config/shape/duration.ts';

const resolverAddress = z.string().transform((text, context) => {
  const [, literal, plain, digits = '53'] =
    /^(?:\[([^\]]*)\]|([^[\]:]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const port = Number(digits);
  const isAddress =
    !text.includes('%') &&
    (isIPv6(text) || (literal === undefined ? isIP(plain ?? '') === 4 : isIPv6(literal)));
  if (!isAddress || port < 1 || port > 65_535) {
    const hint = 'an IP address with an optional port, such as "127.0.0.1:5353" or "[::1]"';
    return addProblem(context, `${JSON.stringify(text)} is not the address of a DNS server`, hint);
  }
  return text;
});

/** How names are looked up. The addresses of DNS servers come out as a list, durations in milliseconds. */
export const resolveShape = z.strictObject({
  resolver: z
    .union([resolverAddress.transform((one) => [one]), z.array(resolverAddress).min(1)])
    .default([])
    .describe(
      'DNS servers that are asked, such as "127.0.0.1:5353". Default: the system looks names up, in its hosts file and ' +
        'at its DNS servers.',
    ),
  valid: positiveDuration()
    .optional()
    .describe(
      'How long an answer holds before it is asked for again. Default: as long as DNS says; 30s from the system, which ' +
        'does not say.',
    ),
  family: z
    .enum(['any', 'ipv4', 'ipv6'])
    .prefault('any')
    .describe('Which addresses of a name are used. Default "any".'),
});

/** Checked settings of looking up. */
export type ResolveSettings = z.output<typeof resolveShape>;
