// The settings of what is tried on another peer, and how often.

import { z } from 'zod';
import { duration } from '../config/shape/duration.ts';

const reasonShape = z.enum([
  'error',
  'timeout',
  'invalid_header',
  'http_403',
  'http_404',
  'http_429',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'non_idempotent',
]);

/** What is tried again. */
export const retriesShape = z.strictObject({
  on: z
    .array(reasonShape)
    .prefault(['error', 'timeout'])
    .describe(
      'What has a request tried on another server, in nginx\'s words. "error": no connection, or one that ended before ' +
        'a whole response head; "timeout"; "invalid_header": an answer that is not HTTP; "http_503" and its like: that ' +
        'answer. A request that a server may have acted on is tried again only if its method is idempotent and its body, ' +
        'if it has one, is buffered; with "non_idempotent" its method does not count. [] tries nothing again. Default ["error", "timeout"].',
    ),
  tries: z
    .int()
    .min(0)
    .prefault(0)
    .describe('Most servers that one request is tried on; 0 for all of them. Default 0.'),
  timeout: duration()
    .prefault(0)
    .describe('Time after which a request is not tried on another server; 0 for no limit. Default 0.'),
  budget: z
    .int()
    .min(0)
    .max(100)
    .prefault(0)
    .describe(
      'Most requests under way, in percent, that may be on a further try after a server had them, so that servers that ' +
        'are too busy do not get even more; three always may. 0 for no limit. Default 0.',
    ),
});

/** Checked settings of retries. Times in milliseconds. */
export type RetrySettings = z.output<typeof retriesShape>;
