// What can be wrong with a config: a list of problems, each with its place, reported all at once.
// How they look on a terminal is left to format-config-error.

/** One thing that is wrong with a config. */
export interface ConfigProblem {
  /** The file as the user may name it: relative to the working directory when inside it. */
  readonly file: string;
  /** From 1; 0 when the problem has no place in a text (the file is missing, or the settings came as an object). */
  readonly line: number;
  /** From 1, in UTF-16 code units; 0 like `line`. */
  readonly column: number;
  /** The value's place among the settings: "routes[2].path"; "" for the whole. */
  readonly at: string;
  readonly problem: string;
  /** What to write instead; "" when nothing better is known. */
  readonly hint: string;
  /** The line of the file, without its end; "" when there is none. */
  readonly sourceLine: string;
  /** How many code units of the line are meant, at least 1; 0 when there is no line. */
  readonly length: number;
}

/** A config that cannot be used. Holds every problem, in the order of the file, never only the first. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const sorted = sortProblems(problems);
    super(sorted.map(describeProblem).join('\n'), options);
    this.name = 'ConfigError';
    this.problems = sorted;
  }
}

/** A problem in one line: "file:line:column: problem (hint)". */
export function describeProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `:${problem.line}:${problem.column}` : problem.at && `: ${problem.at}`;
  const hint = problem.hint === '' ? '' : ` (${problem.hint})`;
  return escapeControls(`${problem.file}${place}: ${problem.problem}${hint}`);
}

/** Control characters (a hostile config's escape sequences) as visible escapes. Tabs stay. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sortProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
