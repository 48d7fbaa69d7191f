// What the bench says while it runs. A server that fails at one thing loses that one figure, and is named in the report:
// twelve minutes of measuring are not thrown away for it.

/** Lines for whoever watches, and what went wrong. */
export class Journal {
  readonly problems: string[] = [];
  readonly #print: (line: string) => void;

  /** @param print takes each line, without its end */
  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Says how things go. */
  write(line: string): void {
    this.#print(line);
  }

  /** Does something; when it fails, notes the reason after `what` and gives undefined. */
  async attempt<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const problem = `${what}: ${reason
        .trim()
        .replaceAll(/\s*\n\s*/g, '; ')
        .slice(0, 300)}`;
      this.problems.push(problem);
      this.#print(`PROBLEM ${problem}`);
      return undefined;
    }
  }
}
