// ${NAME} and ${NAME:-default} in the strings of a config. A name is upper case: ${host} and $host are variables of
// a request, left to message/template; so is "$$", which stands for a dollar sign there.

/** A reference that cannot be expanded. */
export interface EnvironmentProblem {
  /** The reference as written, to be found in the source. */
  readonly reference: string;
  readonly problem: string;
  readonly hint: string;
}

/** The names and values that references speak of. */
export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\$|\$\{([A-Z_][A-Z0-9_]*)(?![A-Za-z0-9_])(?:(:-)([^}]*))?(\})?/g;

/**
 * Replaces every reference. As in a shell, the default also takes the place of an empty value. What cannot be
 * expanded stays as written and is passed to `report`.
 */
export function expandEnvironment(
  text: string,
  environment: Environment,
  report: (problem: EnvironmentProblem) => void,
): string {
  if (!text.includes('${')) return text;
  return text.replace(reference, (written, name, dash, fallback, close, offset: number) => {
    if (name === undefined) return written;
    if (close === undefined) {
      const whole = /^\$\{[^}]*\}?/.exec(text.slice(offset))![0];
      report({
        reference: whole,
        problem: `"${whole}" is not an environment variable`,
        hint: `write "\${${name}}" or "\${${name}:-default}"`,
      });
      return written;
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (dash !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value !== undefined) return value;
    report({
      reference: written,
      problem: `environment variable ${name} is not set`,
      hint: `set it, or give a default: "\${${name}:-default}"`,
    });
    return written;
  });
}
