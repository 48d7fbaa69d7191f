// Runs inputs through both parsers until a bound is reached, and gives what they disagree on.

import { findDisagreement } from './compare-reads.ts';
import { InputGenerator } from './generate-input.ts';
import { readWithNode, readWithOurs } from './read-requests.ts';

/** Where to stop. */
export interface FuzzBounds {
  readonly seed: number;
  readonly cases?: number;
  readonly seconds?: number;
}

/** An input on which the parsers disagree. */
export interface Finding {
  readonly problem: string;
  /** The parts in which it arrived, latin1. */
  readonly parts: readonly string[];
}

/** What a run came to. */
export interface FuzzResult {
  readonly cases: number;
  /** Requests that our engine took: a run that takes none proves nothing. */
  readonly taken: number;
  readonly findings: readonly Finding[];
}

/** Connections at a time: the event loop turns once for all of them. */
const batchSize = 200;
const maxFindings = 20;

/** Runs until a bound, or until there are enough findings. */
export async function runFuzz(
  bounds: FuzzBounds,
  onProgress: (cases: number) => void = () => {},
): Promise<FuzzResult> {
  const generator = new InputGenerator(bounds.seed);
  const endsAtMs = performance.now() + (bounds.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const findings: Finding[] = [];
  let cases = 0;
  let taken = 0;
  while (cases < (bounds.cases ?? Number.POSITIVE_INFINITY) && performance.now() < endsAtMs) {
    const batch = await Promise.all(Array.from({ length: batchSize }, () => runCase(generator.next())));
    for (const result of batch) {
      taken += result.taken;
      if (result.finding !== null) findings.push(result.finding);
    }
    cases += batchSize;
    onProgress(cases);
    if (findings.length >= maxFindings) break;
  }
  return { cases, taken, findings };
}

async function runCase(parts: readonly Buffer[]): Promise<{ taken: number; finding: Finding | null }> {
  const [ours, node] = await Promise.all([readWithOurs(parts), readWithNode(parts)]);
  const problem = findDisagreement(ours, node);
  const text = () => parts.map((part) => part.toString('latin1'));
  return { taken: ours.requests.length, finding: problem === null ? null : { problem, parts: text() } };
}
