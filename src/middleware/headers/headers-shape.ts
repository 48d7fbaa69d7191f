// The `headers` setting: fields of the response by name.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { fieldName } from '../../config/shape/field-name.ts';
import { templateText } from '../../config/shape/template-text.ts';
import { isFieldValue } from '../../message/field-value.ts';

// What frames a message, and its date, is written by the protocol and by nobody else.
const protocolFields: ReadonlySet<string> = new Set(
  'connection content-length date keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);

const settableName = fieldName().transform((name, context: ProblemSink) => {
  if (!protocolFields.has(name.toLowerCase())) return name;
  return addProblem(context, `the field "${name}" is written by the server itself`, 'leave it out');
});

const valueShape = templateText().transform((text, context: ProblemSink) => {
  if (isFieldValue(text)) return text;
  return addProblem(
    context,
    'a field value holds visible ASCII characters and spaces between them',
    'percent-encode anything else',
  );
});

/** Fields to set (a text with variables) or to remove (null) in every response. */
export const headersShape = z.record(settableName, valueShape.nullable()).superRefine((rules, context) => {
  const seen = new Set<string>();
  for (const name of Object.keys(rules)) {
    const lowerName = name.toLowerCase();
    if (seen.has(lowerName)) addProblem(context, `the field "${name}" is there twice`, 'keep one', [name]);
    seen.add(lowerName);
  }
});

/** Checked headers: templates, or null for a field to be removed. */
export type HeadersSettings = z.output<typeof headersShape>;
