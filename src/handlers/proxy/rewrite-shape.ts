// The shapes of a proxy's settings that speak of header fields: those of requests, those of responses, and what is
// rewritten in them.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { fieldName } from '../../config/shape/field-name.ts';
import { findRegexProblem } from '../../config/shape/regex-text.ts';
import { templateText } from '../../config/shape/template-text.ts';
import { hopByHopFields } from '../../message/passed-fields.ts';
import { cutGroups, type RewriteRule } from './rewrite-text.ts';

const flags = [
  'secure',
  'nosecure',
  'httponly',
  'nohttponly',
  'samesite=strict',
  'samesite=lax',
  'samesite=none',
  'nosamesite',
] as const;

/** What can be done to a cookie: an attribute that it gets, or, behind "no", loses. */
export type CookieFlag = (typeof flags)[number];

const passableName = fieldName().transform((name, context: ProblemSink) => {
  if (!hopByHopFields.has(name.toLowerCase())) return name;
  return addProblem(context, `the field "${name}" belongs to one connection`, 'leave it out');
});

const settableName = passableName.transform((name, context: ProblemSink) => {
  const lowerName = name.toLowerCase();
  if (lowerName === 'host') return addProblem(context, '"Host" has a key of its own', 'write "host"');
  if (lowerName === 'expect') return addProblem(context, 'the field "Expect" is answered here');
  return name;
});

/** Names of response fields. */
export const fieldNamesShape = z.array(passableName);

/** Fields of a request: a text with variables sets one, null removes it. */
export const setFieldsShape = z
  .record(settableName, templateText().nullable())
  .superRefine((rules, context: ProblemSink) => {
    const seen = new Set<string>();
    for (const name of Object.keys(rules)) {
      const lowerName = name.toLowerCase();
      if (seen.has(lowerName)) addProblem(context, `the field "${name}" is there twice`, 'keep one', [name]);
      seen.add(lowerName);
    }
  });

/** Rules "what becomes what", in their order: fixed texts with variables, or regular expressions behind "~" or "~*". */
export const rewriteShape = z.record(z.string(), z.string()).transform((rules, context: ProblemSink) => {
  const entries: RewriteRule[] = Object.entries(rules);
  for (const [from, to] of entries) {
    const isRegex = checkPattern(from, context);
    if (!isRegex) checkTemplate(from, from, context);
    checkTemplate(isRegex ? cutGroups(to) : to, from, context);
  }
  return entries;
});

/** Flags by cookie: a name, or a regular expression behind "~". */
export const cookieFlagsShape = z
  .record(z.string(), z.array(z.enum(flags)).min(1))
  .transform((rules, context: ProblemSink) => {
    const entries: (readonly [string, readonly CookieFlag[]])[] = Object.entries(rules);
    for (const [cookie] of entries) checkPattern(cookie, context);
    return entries;
  });

/** Whether a text is meant as a regular expression; reports one that is none. */
function checkPattern(text: string, context: ProblemSink): boolean {
  if (!text.startsWith('~')) return false;
  const problem = findRegexProblem(text.slice(text.startsWith('~*') ? 2 : 1));
  if (problem !== null) addProblem(context, `bad regular expression: ${problem}`, '', [text]);
  return true;
}

function checkTemplate(text: string, key: string, context: ProblemSink): void {
  const checked = templateText().safeParse(text);
  if (checked.success) return;
  const [issue] = checked.error.issues;
  const hint = issue.code === 'custom' ? String(issue.params?.hint ?? '') : '';
  addProblem(context, issue.message, hint, [key]);
}
