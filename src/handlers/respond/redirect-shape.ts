// The settings of `redirect`.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { templateText } from '../../config/shape/template-text.ts';

const defaultStatus = 302;

const targetShape = templateText().transform((text, context: ProblemSink) => {
  if (text !== '') return text;
  return addProblem(context, 'a redirect needs a target', 'a path or a URI, such as "/new/$is_args$args"');
});

const settingsShape = z.strictObject({
  to: targetShape.describe('Where to: a path of this site or a URI. May hold variables.'),
  status: z
    .literal([301, 302, 303, 307, 308])
    .prefault(defaultStatus)
    .describe(
      '301 and 308 are for good, 302 and 307 for now, 303 after a POST; 307 and 308 keep the method. Default 302.',
    ),
});

/** A checked `redirect` setting. */
export type RedirectSettings = z.output<typeof settingsShape>;

/** Where to send the client: the target alone, or an object. */
export const redirectShape = z.union([
  targetShape.transform((to): RedirectSettings => ({ to, status: defaultStatus })),
  settingsShape,
]);
