// The shape of a regular expression, in JavaScript's syntax.

import { z } from 'zod';
import { addProblem } from './add-problem.ts';

/** What is wrong with a regular expression, in words, or null when nothing is. */
export function findRegexProblem(source: string, flags = ''): string | null {
  try {
    new RegExp(source, flags);
    return null;
  } catch (error) {
    // V8 writes "Invalid regular expression: /(/: Unterminated group": only the end says something new.
    const message = (error as Error).message;
    return message.slice(message.lastIndexOf(': ') + 2).toLowerCase();
  }
}

/** A regular expression without slashes. Comes out as written, sure to compile with these flags. */
export function regexText(flags = '') {
  return z.string().transform((text, context) => {
    const problem = findRegexProblem(text, flags);
    return problem === null ? text : addProblem(context, `bad regular expression: ${problem}`);
  });
}
