// The shape of a header field's name (RFC 9110 5.1).

import { z } from 'zod';
import { addProblem } from './add-problem.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A field name: one token. Comes out as written; comparing without regard to case is left to who uses it. */
export function fieldName() {
  return z.string().transform((text, context) => {
    if (token.test(text)) return text;
    return addProblem(
      context,
      `${JSON.stringify(text)} is not a header field name`,
      'letters, digits and any of !#$%&\'*+-.^_`|~, as in "Cache-Control"',
    );
  });
}
