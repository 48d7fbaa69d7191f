// The addresses of proxies whose word about the client is believed.

import { isIP } from 'node:net';
import { z } from 'zod';
import { addProblem } from '../config/shape/add-problem.ts';

/** An IP address or a CIDR range. Comes out as written. */
export const trustedProxyShape = z
  .string()
  .meta({ examples: ['10.0.0.0/8', '::1'] })
  .transform((text, context) => {
    const [address, bits, ...rest] = text.split('/');
    const family = isIP(address);
    const isRange =
      bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
    if (family !== 0 && isRange && rest.length === 0 && !address.includes('%')) return text;
    const hint = 'such as "10.0.0.0/8", "192.0.2.7" or "fd00::/8"';
    return addProblem(context, `${JSON.stringify(text)} is not an IP address or range`, hint);
  });
