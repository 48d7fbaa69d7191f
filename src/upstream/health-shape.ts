// The settings of active health checks: requests, or mere connections, that show whether a peer is well.

import { z } from 'zod';
import { addProblem } from '../config/shape/add-problem.ts';
import { duration, positiveDuration } from '../config/shape/duration.ts';
import { regexText } from '../config/shape/regex-text.ts';

/** "200", "200-399": comes out as the first and the last. */
const statusRange = z
  .union([
    z.int().min(200).max(599),
    z.string().regex(/^[2-5]\d\d(?:-[2-5]\d\d)?$/, 'such as 200 or "200-399"'),
  ])
  .transform((written): [number, number] => {
    const [from, to = from] = String(written).split('-').map(Number);
    return [from, to];
  });

const settingsShape = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^\s\x00-\x1f\x7f]*$/, 'a path begins with "/" and has no spaces')
    .optional()
    .describe('What is asked for. Default: nothing, a server is well that accepts a connection.'),
  status: z
    .union([statusRange.transform((one) => [one]), z.array(statusRange).min(1)])
    .prefault('200-399')
    .describe('The statuses of a server that is well: 200, "200-399", or a list of such. Default "200-399".'),
  body: regexText()
    .optional()
    .describe('A regular expression for the first 64 KiB of the answer. Default: any body will do.'),
  host: z
    .string()
    .regex(/^[^\s\x00-\x1f\x7f]+$/, 'this is not the name of a host')
    .optional()
    .describe('The Host that is asked for. Default: the address of the server.'),
  port: z.int().min(1).max(65_535).optional().describe('Where checks go. Default: where requests go.'),
  interval: positiveDuration().prefault('5s').describe('Time between two checks. Default "5s".'),
  jitter: duration()
    .prefault('500ms')
    .describe('Each check is up to so much later, so that not all come at once. Default "500ms".'),
  timeout: positiveDuration().prefault('1s').describe('How long a check may take. Default "1s".'),
  rise: z
    .int()
    .min(1)
    .prefault(1)
    .describe('Checks passed one after the other that bring a server back. Default 1.'),
  fall: z
    .int()
    .min(1)
    .prefault(1)
    .describe('Checks failed one after the other that take a server out. Default 1.'),
  mandatory: z
    .boolean()
    .prefault(false)
    .describe('Whether a server takes no requests before its first check is passed. Default false.'),
});

/** Health checks: a path alone, or an object. */
export const healthShape = z
  .union([z.string().transform((path) => settingsShape.parse({ path })), settingsShape])
  .superRefine(({ path, body, host }, context) => {
    if (path !== undefined) return;
    if (body !== undefined) addProblem(context, 'only an answer has a body', 'add "path"', ['body']);
    if (host !== undefined) addProblem(context, 'only a request names a host', 'add "path"', ['host']);
  });

/** Checked settings of health checks. Times in milliseconds. */
export type HealthSettings = z.output<typeof healthShape>;
