// Turns the text of a TypeScript module into JavaScript by blanking its types: no line and no column moves, so stack
// traces need no map. The stripper is the one inside Node itself.

import { createRequire } from 'node:module';
import type * as Stripper from '@swc/wasm-typescript';

// An import would have Node search its megabytes of base64 text for the names it exports: a third of a start.
const { transformSync } = createRequire(import.meta.url)('@swc/wasm-typescript') as typeof Stripper;

/** What the stripper throws: a plain object. Lines count from 1, columns from 0. */
interface StripProblem {
  readonly message: string;
  readonly snippet?: string;
  readonly startLine?: number;
  readonly startColumn?: number;
}

/** Throws a SyntaxError that begins with file:line:column, also for syntax that is more than types (an enum). */
export function stripTypes(source: string, file: string): string {
  try {
    return transformSync(source, { mode: 'strip-only', filename: file }).code;
  } catch (problem) {
    throw new SyntaxError(describeProblem(problem as StripProblem, file), { cause: problem });
  }
}

function describeProblem(problem: StripProblem, file: string): string {
  const { message = String(problem), snippet, startLine, startColumn } = problem;
  const place = startLine === undefined ? file : `${file}:${startLine}:${(startColumn ?? 0) + 1}`;
  return `${place}: ${message}${snippet === undefined ? '' : `\n${snippet.trimEnd()}`}`;
}
