// How a shape says in its own words what is wrong with a value. What it says is printed as it is, at the place of
// the value in the config file.

import { z } from 'zod';

/** What a zod transform or refinement reports to. */
export interface ProblemSink {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[]; params: { hint: string } }): void;
}

/**
 * Reports a problem with the value being checked, or with what lies under it at `path`. The hint says what to write
 * instead; "" for none. Returns `z.NEVER`, so that a transform can return the call.
 */
export function addProblem(
  sink: ProblemSink,
  problem: string,
  hint = '',
  path: readonly PropertyKey[] = [],
): never {
  sink.addIssue({ code: 'custom', message: problem, path: [...path], params: { hint } });
  return z.NEVER;
}
