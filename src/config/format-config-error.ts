// A ConfigError as a person on a terminal reads it: each problem with its source line and a caret under the place.

import { type ConfigError, type ConfigProblem, describeProblem, escapeControls } from './config-error.ts';

// A minified config is one endless line: only this much around the place is shown.
const shownWidth = 120;

/** The report of all problems, ending in a newline. With `color`, ANSI colours mark place and caret. */
export function formatConfigError(error: ConfigError, options: { color: boolean }): string {
  return error.problems.map((problem) => formatProblem(problem, options.color)).join('');
}

function formatProblem(problem: ConfigProblem, color: boolean): string {
  const headline = describeProblem(problem);
  const lines = [color ? `\x1b[1m${headline}\x1b[0m` : headline];
  if (problem.length > 0) {
    const { text, start, length } = cutLine(problem);
    // Tabs are repeated, so that the caret stands under its character whatever a tab is worth.
    const indent = escapeControls(text.slice(0, start)).replace(/[^\t]/g, ' ');
    const meant = escapeControls(text.slice(start, start + length)).length;
    const caret = `^${'~'.repeat(Math.max(0, meant - 1))}`;
    lines.push(`    ${escapeControls(text)}`, `    ${indent}${color ? `\x1b[31m${caret}\x1b[0m` : caret}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The part of the source line that is shown, and where in it the place begins. */
function cutLine(problem: ConfigProblem): { text: string; start: number; length: number } {
  const line = problem.sourceLine;
  const start = problem.column - 1;
  if (line.length <= shownWidth) return { text: line, start, length: problem.length };
  const from = Math.max(0, Math.min(start - shownWidth / 3, line.length - shownWidth));
  const text = line.slice(from, from + shownWidth);
  return { text, start: start - from, length: Math.min(problem.length, text.length - (start - from)) };
}
