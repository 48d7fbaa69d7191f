// The shape of a media type (RFC 9110 8.3.1).

import { z } from 'zod';
import { isFieldValue } from '../../message/field-value.ts';
import { addProblem } from './add-problem.ts';

/** A media type, parameters included. Comes out as written. */
export function mediaType() {
  return z.string().transform((text, context) => {
    if (isFieldValue(text) && /^[^\s/;]+\/[^\s/;]+(?:[\t ]*;.*)?$/.test(text)) return text;
    return addProblem(
      context,
      `${JSON.stringify(text)} is not a media type`,
      'such as "text/html; charset=utf-8"',
    );
  });
}
