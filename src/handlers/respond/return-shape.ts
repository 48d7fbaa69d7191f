// The settings of `return`.

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { mediaType } from '../../config/shape/media-type.ts';
import { templateText } from '../../config/shape/template-text.ts';

const defaults = { body: '', type: 'text/plain; charset=utf-8' };
// RFC 9110: responses that have no content.
const bodilessStatuses: readonly number[] = [204, 205, 304];

const statusShape = z.int().min(200).max(599);

const settingsShape = z.strictObject({
  status: statusShape.describe('Status of the response, 200 to 599.'),
  body: templateText()
    .prefault(defaults.body)
    .describe('Text of the response; may hold variables. Default: none.'),
  type: mediaType().prefault(defaults.type).describe('Its media type. Default "text/plain; charset=utf-8".'),
});

/** A checked `return` setting. */
export type ReturnSettings = z.output<typeof settingsShape>;

/** A fixed answer: a status alone, or an object. */
export const returnShape = z.union([
  statusShape.transform((status): ReturnSettings => ({ status, ...defaults })),
  settingsShape.superRefine(({ status, body }, context) => {
    if (body === '' || !bodilessStatuses.includes(status)) return;
    addProblem(context, `a response with status ${status} has no body`, '', ['body']);
  }),
]);
