// The settings of taking peers out whose answers are errors.

import { z } from 'zod';
import { positiveDuration } from '../config/shape/duration.ts';

/** When answers take a peer out, and for how long. */
export const outliersShape = z.strictObject({
  errors: z
    .int()
    .min(1)
    .prefault(5)
    .describe(
      'Answers from 500 to 599, or failures, one after the other, that take a server out. Default 5.',
    ),
  ejection: positiveDuration()
    .prefault('30s')
    .describe('How long a server is out; the second time twice as long, and so on. Default "30s".'),
  maxEjection: positiveDuration()
    .prefault('300s')
    .describe('The longest time that a server is out. Default "300s".'),
  interval: positiveDuration()
    .prefault('10s')
    .describe('A server that stays in for so long has one ejection forgotten. Default "10s".'),
  maxEjected: z
    .int()
    .min(0)
    .max(100)
    .prefault(10)
    .describe('Most servers that are out as outliers at a time, in percent; one always may be. Default 10.'),
});

/** Checked settings of outliers. Times in milliseconds. */
export type OutlierSettings = z.output<typeof outliersShape>;
