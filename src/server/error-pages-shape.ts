// The `errorPages` setting in zod: pages by status. Whether a named route is there is for find-site-problems.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { templateText } from '../config/shape/template-text.ts';
import type { ErrorPageSettings, ErrorPagesSettings } from './error-pages.ts';

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];
// They have no content, or only part of one.
const unfitStatuses: readonly number[] = [204, 205, 206];

const targetShape = templateText().transform((text, context: ProblemSink) => {
  if (/^@[\w.-]+$/.test(text) || /^\/(?![/\\])/.test(text) || isAbsolute(text)) return text;
  return addProblem(
    context,
    `${JSON.stringify(text)} leads to no page`,
    'a URI such as "/404.html", a named route such as "@sorry", or an absolute URL',
  );
});

const detailsShape = z
  .strictObject({
    to: targetShape.describe(
      'The page: a URI of the site, "@name" for a named route, or an absolute URL that the client is sent to. May ' +
        'hold variables: "/errors/$status.html".',
    ),
    status: z
      .union([z.int().min(200).max(599), z.enum(['kept', 'answered'])])
      .optional()
      .describe(
        'Status of the response: a number, "kept" for that of the error, "answered" for that of the page. Default ' +
          '"kept"; 302 for an absolute URL.',
      ),
  })
  .transform(({ to, status }, context) => checkStatus(to, status, context));

const pageShape = z.union([
  targetShape.transform((to): ErrorPageSettings => ({ to, status: isAbsolute(to) ? 302 : 'kept' })),
  z.null(),
  detailsShape,
]);

/** Pages by status, class or several of them: "404", "5xx", "500 502 503". Each comes out under a key of its own. */
export const errorPagesShape = z
  .record(z.string().meta({ examples: ['404', '5xx', '502 503 504'] }), pageShape)
  .transform((pages, context): ErrorPagesSettings => {
    const byStatus = new Map<string, ErrorPageSettings | null>();
    for (const [written, page] of Object.entries(pages)) {
      for (const key of written.trim().split(/\s+/)) {
        if (!/^[45](?:\d\d|xx)$/.test(key)) {
          const hint = '400 to 599, "4xx" or "5xx", or several of them: "502 503 504"';
          addProblem(context, `${JSON.stringify(key)} is not the status of an error`, hint, [written]);
        } else if (byStatus.has(key)) {
          addProblem(context, `the status "${key}" is there twice`, 'keep one', [written]);
        }
        byStatus.set(key, page);
      }
    }
    return Object.fromEntries(byStatus);
  });

function isAbsolute(text: string): boolean {
  return /^(?:https?|\$scheme|\$\{scheme\}):\/\/[^/]/i.test(text);
}

function checkStatus(
  to: string,
  status: ErrorPageSettings['status'] | undefined,
  context: ProblemSink,
): ErrorPageSettings {
  if (isAbsolute(to)) {
    if (status === undefined) return { to, status: 302 };
    if (typeof status === 'number' && redirectStatuses.includes(status)) return { to, status };
    return addProblem(context, `a redirect cannot have the status ${status}`, redirectStatuses.join(', '), [
      'status',
    ]);
  }
  if (typeof status === 'number' && ((status >= 300 && status < 400) || unfitStatuses.includes(status))) {
    return addProblem(context, `a page cannot have the status ${status}`, 'such as 200 or 404', ['status']);
  }
  return { to, status: status ?? 'kept' };
}
