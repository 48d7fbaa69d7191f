// The shape of a length of time: "5s", "500ms", "1h 30m".

import { z } from 'zod';
import { addProblem, type ProblemSink } from './add-problem.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^\d+(?:ms|[smhd])(?: ?\d+(?:ms|[smhd]))*$/;
// What setTimeout can wait for: a longer time would end at once.
const longestMs = 2_147_483_647;
const examples = 'write a number and a unit, such as "500ms", "5s", "1m" or "1h"';

/** Milliseconds of a duration text; NaN when it is none. "0" needs no unit. */
export function parseDuration(text: string): number {
  if (/^0+$/.test(text)) return 0;
  if (!pattern.test(text)) return Number.NaN;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) total += Number(count) * unitMs[unit];
  return total;
}

/** A duration: a text with unit (ms, s, m, h, d) or 0. Comes out in milliseconds, at most 24 days. */
export function duration() {
  const text = z.string().meta({
    pattern: '^(0+|\\d+(ms|[smhd])( ?\\d+(ms|[smhd]))*|.*\\$\\{.*)$',
    examples: ['500ms', '5s', '1m'],
  });
  return z.union([text, z.number().meta({ const: 0 })]).transform(toMilliseconds);
}

/** A {@link duration} that is longer than 0. */
export function positiveDuration(): z.ZodType<number, string> {
  const text = z.string().meta({
    pattern: '^((?=.*[1-9])\\d+(ms|[smhd])( ?\\d+(ms|[smhd]))*|.*\\$\\{.*)$',
    examples: ['500ms', '5s', '1m'],
  });
  // No number will do, but what is wrong with it is said in our words: so it is no matter of the text's shape.
  const refuseNumber = (value: unknown, context: ProblemSink) =>
    typeof value === 'number' ? toPositiveMilliseconds(value, context) : value;
  return z.preprocess(refuseNumber, text.transform(toPositiveMilliseconds)) as z.ZodType<number, string>;
}

function toMilliseconds(value: string | number, context: ProblemSink): number {
  const ms = parseDuration(String(value));
  if (Number.isNaN(ms)) return addProblem(context, describeBad(value), suggest(value));
  if (ms > longestMs) return addProblem(context, `${JSON.stringify(value)} is too long`, 'at most "24d"');
  return ms;
}

function toPositiveMilliseconds(value: string | number, context: ProblemSink): number {
  const ms = toMilliseconds(value, context);
  return ms === 0 ? addProblem(context, 'this time must be longer than 0') : ms;
}

function describeBad(value: string | number): string {
  if (typeof value === 'number' || /^\d+$/.test(value))
    return `a duration needs a unit, but found ${JSON.stringify(value)}`;
  return `${JSON.stringify(value)} is not a duration`;
}

function suggest(value: string | number): string {
  const digits = String(value);
  return /^\d+$/.test(digits) ? `write "${digits}s" for seconds or "${digits}ms" for milliseconds` : examples;
}
