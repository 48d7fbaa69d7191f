// The `cors` setting: which pages of other origins may read answers (Fetch Standard 3.2).

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { duration } from '../../config/shape/duration.ts';
import { fieldName } from '../../config/shape/field-name.ts';
import { findRegexProblem } from '../../config/shape/regex-text.ts';

const originShape = z.string().transform((text, context) => {
  if (text === '*') return text;
  if (text.startsWith('~')) {
    const problem = findRegexProblem(text.slice(1));
    return problem === null ? text : addProblem(context, `bad regular expression: ${problem}`);
  }
  if (isOrigin(text)) return text;
  return addProblem(
    context,
    `${JSON.stringify(text)} is not an origin`,
    'such as "https://example.com", "*", or "~^https://[^.]+\\\\.example\\\\.com$"',
  );
});

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

const methodShape = z.string().transform((text, context) => {
  if (/^[A-Z]+$/.test(text)) return text;
  return addProblem(context, `${JSON.stringify(text)} is not a method`, 'in capitals, such as "PUT"');
});

const settingsShape = z
  .strictObject({
    origins: z
      .array(originShape)
      .min(1)
      .prefault(['*'])
      .describe('Origins that may read: exact, "*" for all, or "~regexp". Default ["*"].'),
    methods: z
      .array(methodShape)
      .prefault(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
      .describe('Methods they may use. Default GET, HEAD, POST, PUT, PATCH and DELETE.'),
    allowHeaders: z
      .array(fieldName())
      .nullable()
      .prefault(null)
      .describe('Request fields they may send. Default: those that they ask for.'),
    exposeHeaders: z
      .array(fieldName())
      .prefault([])
      .describe('Response fields they may read. Default: none.'),
    credentials: z
      .boolean()
      .prefault(false)
      .describe('Whether they may use the cookies of their users. Not with "*". Default false.'),
    maxAge: duration().prefault('10m').describe('How long browsers keep what was allowed. Default "10m".'),
  })
  .superRefine(({ origins, credentials }, context) => {
    if (!credentials || !origins.includes('*')) return;
    const problem = 'with credentials every site could act as its visitors: "*" is not possible';
    addProblem(context, problem, 'name the origins', ['origins']);
  });

/** A checked `cors` setting. */
export type CorsSettings = z.output<typeof settingsShape>;

/** true for every origin, false for none, or an object. */
export const corsShape = z
  .union([z.boolean(), settingsShape])
  .transform((value): CorsSettings | null => (value === true ? settingsShape.parse({}) : value || null));
