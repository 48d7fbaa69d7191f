// The shape of an age that clients are told: "30d", "1y". Unlike a duration it may be years, for nobody waits for it.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { parseDuration } from '../../config/shape/duration.ts';

const daySeconds = 86_400;
const longerUnits: Readonly<Record<string, number>> = { w: 7, M: 30, y: 365 };

/** Whole seconds of an age; NaN when the text is none. Beside the units of a duration: w (7 days), M (30), y (365). */
export function parseAge(text: string): number {
  const [, longer, rest] = /^((?:\d+[wMy] ?)*)(.*)$/s.exec(text) as RegExpExecArray;
  const seconds = rest === '' && longer !== '' ? 0 : Math.floor(parseDuration(rest) / 1000);
  let total = seconds;
  for (const [, count, unit] of longer.matchAll(/(\d+)([wMy])/g)) {
    total += Number(count) * longerUnits[unit] * daySeconds;
  }
  return Number.isSafeInteger(total) ? total : Number.NaN;
}

/** An age, or 0. Comes out in seconds. */
export function age() {
  return z.string().transform((text, context: ProblemSink) => {
    const seconds = parseAge(text);
    if (!Number.isNaN(seconds)) return seconds;
    return addProblem(context, `${JSON.stringify(text)} is not an age`, 'such as "10m", "30d" or "1y"');
  });
}
