// When a value fits no branch of a union, zod lists the issues of every branch. Only one branch was meant: this
// finds it, or says that none was even of the right kind.

import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
type UnionIssue = z.core.$ZodIssueInvalidUnion;

/** What a failed union comes down to. */
export type ReducedUnion =
  /** The issues of the branches that fit best, equally well, with paths from where the union's path starts. */
  | { readonly kind: 'branch'; readonly branches: readonly (readonly Issue[])[] }
  /** The value is of no branch's kind: what would have been. */
  | { readonly kind: 'mismatch'; readonly kinds: readonly string[]; readonly values: readonly unknown[] };

/** Reduces a union issue to what the author of the config can use. */
export function reduceUnion(issue: UnionIssue): ReducedUnion {
  const kinds = new Set<string>();
  const values = new Set<unknown>();
  let best: (readonly Issue[])[] = [];
  let bestCost = Number.POSITIVE_INFINITY;
  for (const branch of issue.errors) {
    const mismatch = findMismatch(branch);
    if (mismatch !== null) {
      for (const kind of mismatch.kinds) kinds.add(kind);
      for (const value of mismatch.values) values.add(value);
      continue;
    }
    const cost = measureCost(branch);
    if (cost < bestCost) best = [];
    if (cost <= bestCost) best.push(branch);
    bestCost = Math.min(bestCost, cost);
  }
  if (best.length === 0) return { kind: 'mismatch', kinds: [...kinds], values: [...values] };
  const branches = best.map((branch) =>
    branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
  );
  return { kind: 'branch', branches };
}

/** What a branch would have taken, if the value as a whole is of another kind; null if its kind is right. */
function findMismatch(
  branch: readonly Issue[],
): { kinds: readonly string[]; values: readonly unknown[] } | null {
  for (const issue of branch) {
    if (issue.path.length > 0) continue;
    if (issue.code === 'invalid_type') return { kinds: [issue.expected], values: [] };
    if (issue.code === 'invalid_value') return { kinds: [], values: issue.values };
    if (issue.code !== 'invalid_union') continue;
    const inner = reduceUnion(issue);
    if (inner.kind === 'mismatch') return inner;
  }
  return null;
}

// One key that a branch does not know, or misses, tells more than any number of wrong values deep inside.
const keyCost = 1000;

/** How far a value is from a branch: every wrong, unknown or missing entry counts. */
function measureCost(branch: readonly Issue[]): number {
  let cost = 0;
  for (const issue of branch) {
    const isOwnKey = issue.code === 'unrecognized_keys' ? issue.path.length === 0 : issue.path.length === 1;
    if (issue.code === 'unrecognized_keys') cost += issue.keys.length * (isOwnKey ? keyCost : 1);
    else if (issue.code === 'invalid_union') cost += measureUnion(issue);
    else cost += isOwnKey && issue.code === 'invalid_type' ? keyCost : 1;
  }
  return cost;
}

function measureUnion(issue: UnionIssue): number {
  const reduced = reduceUnion(issue);
  return reduced.kind === 'branch' ? measureCost(reduced.branches[0]) : 1;
}
