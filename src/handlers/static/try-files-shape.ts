// The shape of `tryFiles`: places to look, and at last what answers when nothing is there.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { templateText } from '../../config/shape/template-text.ts';

const example = 'as in ["$uri", "$uri/", "=404"]';

/** Items of `tryFiles`, at least two of them. Come out as written. */
export const tryFilesShape = z.array(templateText()).superRefine((items, context) => {
  if (items.length < 2) addProblem(context, 'tryFiles needs a place to look and a last item', example);
  for (const [i, item] of items.entries()) {
    if (i === items.length - 1) checkLast(item, i, context);
    else if (!/^[/$]/.test(item)) {
      addProblem(context, `${JSON.stringify(item)} is not a path`, `begin with "/" or "$uri", ${example}`, [
        i,
      ]);
    }
  }
});

function checkLast(item: string, i: number, context: ProblemSink): void {
  if (/^@[\w.-]+$/.test(item) || /^=[2-5]\d\d$/.test(item) || /^\/|^\$\{?uri(?![a-z0-9_])/i.test(item))
    return;
  const problem = `${JSON.stringify(item)} can't be the last item`;
  addProblem(
    context,
    problem,
    'a path such as "/index.html", "@name" of a route, or a status such as "=404"',
    [i],
  );
}
