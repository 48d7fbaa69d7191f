// The shapes of `split` and `mirror`: requests that go to other upstreams than the route's own, or to another one, too.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { templateText } from '../../config/shape/template-text.ts';

const shareShape = z.number().min(0).max(100);

const cookieName = z.string().transform((name, context) => {
  if (/^[A-Za-z0-9_.-]+$/.test(name)) return name;
  const problem = `${JSON.stringify(name)} cannot name this cookie`;
  return addProblem(context, problem, 'letters, digits, "_", "-" and "."');
});

/** Shares of the requests for other upstreams. */
export const splitShape = z
  .strictObject({
    to: z
      .array(
        z.strictObject({
          upstream: z.string().describe('Name of the upstream that gets the share.'),
          share: shareShape.describe('Percent of the keys; 0 for who comes with the cookie alone.'),
        }),
      )
      .min(1)
      .describe('Who gets which share. What is left goes to the upstream of the route.'),
    key: templateText()
      .prefault('$remote_addr')
      .describe(
        'What is hashed: requests with the same key go to the same upstream. Default "$remote_addr".',
      ),
    cookie: cookieName
      .nullable()
      .prefault(null)
      .describe(
        'Cookie that holds the name of the upstream: it decides before the key does, and clients without it are given ' +
          'it. Default: none.',
      ),
  })
  .superRefine(({ to }, context: ProblemSink) => {
    const sum = to.reduce((total, { share }) => total + share, 0);
    if (sum > 100) addProblem(context, `the shares are ${sum} percent together`, 'at most 100', ['to']);
  });

/** A checked `split`. */
export type SplitSettings = z.output<typeof splitShape>;

/** Who gets copies. */
export const mirrorShape = z.strictObject({
  upstream: z.string().describe('Name of the upstream that gets the copies. Its answers are thrown away.'),
  share: shareShape.prefault(100).describe('Percent of the requests that are copied. Default 100.'),
  concurrency: z
    .int()
    .min(1)
    .prefault(64)
    .describe('Most copies under way in each front worker; more are not made. Default 64.'),
});
