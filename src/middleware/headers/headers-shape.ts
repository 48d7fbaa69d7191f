// The `headers` setting: fields of the response by name.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { fieldName } from '../../config/shape/field-name.ts';
import { templateText } from '../../config/shape/template-text.ts';
import { isFieldValue } from '../../message/field-value.ts';
import type { FieldRule } from './header-rules.ts';

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

const valuesShape = z
  .union([valueShape, z.array(valueShape).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value));

const ruleShape = z
  .strictObject({
    set: valuesShape.optional().describe('A text or several: in place of what is there.'),
    add: valuesShape.optional().describe('A text or several: beside what is there, outer levels included.'),
    default: valuesShape.optional().describe('A text or several: where nothing is there.'),
    always: z
      .boolean()
      .optional()
      .describe(
        'true: whatever the status; false: on success and redirects only. Default true, but for Cache-Control and ' +
          'Expires, which errors do not have.',
      ),
  })
  .superRefine(({ set, add, default: standard }, context) => {
    if (set ?? add ?? standard) return;
    addProblem(
      context,
      'this says nothing to set or add',
      'such as { "set": "…" }, or null to remove a field',
    );
  });

const fieldShape = z.union([
  valueShape,
  z.null(),
  z
    .array(valueShape)
    .min(1)
    .transform((set): FieldRule => ({ set })),
  ruleShape,
]);

/** Fields to set (a text with variables, or several), to add, or to remove (null). */
export const headersShape = z.record(settableName, fieldShape).superRefine((rules, context) => {
  const seen = new Set<string>();
  for (const name of Object.keys(rules)) {
    const lowerName = name.toLowerCase();
    if (seen.has(lowerName)) addProblem(context, `the field "${name}" is there twice`, 'keep one', [name]);
    seen.add(lowerName);
  }
});

/** Checked headers: a template, a rule, or null for a field to be removed. */
export type HeadersSettings = z.output<typeof headersShape>;
