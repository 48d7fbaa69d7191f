// The addresses of proxies whose word about the client is believed.

import { z } from 'zod';
import { isIpRange } from '../base/ip-ranges.ts';
import { addProblem } from '../config/shape/add-problem.ts';

/** An IP address, a CIDR range, or "unix:" for whoever connects through a unix socket. Comes out as written. */
export const trustedProxyShape = z
  .string()
  .meta({ examples: ['10.0.0.0/8', '::1', 'unix:'] })
  .transform((text, context) => {
    if (isIpRange(text)) return text;
    const hint = 'such as "10.0.0.0/8", "192.0.2.7" or "fd00::/8"; "unix:" for unix sockets';
    return addProblem(context, `${JSON.stringify(text)} is not an IP address or range`, hint);
  });
