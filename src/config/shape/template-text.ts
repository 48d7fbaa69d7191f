// The shape of a text that may hold $variables. Compiling it for the request path is left to who uses it.

import { z } from 'zod';
import { compileTemplate, TemplateError } from '../../message/template.ts';
import { variableNames } from '../../message/variables.ts';
import { suggestName } from '../suggest-name.ts';
import { addProblem } from './add-problem.ts';

/** A text with $variables, each of them known. Comes out as written. */
export function templateText() {
  return z.string().transform((text, context) => {
    try {
      compileTemplate(text);
      return text;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return addProblem(context, error.message, suggestVariable(error.variable));
    }
  });
}

function suggestVariable(name: string): string {
  if (name === '') return '';
  // A family such as "http_" is no variable by itself: the part before the underscore is what can be mistyped.
  const family = variableNames.find((known) => known === name && known.endsWith('_'));
  if (family !== undefined) return `a name must follow, as in "$${family}x"`;
  const near = suggestName(
    name,
    variableNames.filter((known) => !known.endsWith('_')),
  );
  return near === null ? '' : `did you mean "$${near}"?`;
}
