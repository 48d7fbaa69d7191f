// The `path` of a route: nginx's location modifiers and what they modify, in one string, or the name of a route that
// takes no request by itself. Which of several routes takes a request is the router's to say.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { findRegexProblem } from '../config/shape/regex-text.ts';
import { HttpError } from '../message/http-error.ts';
import { encodePath } from '../message/location.ts';
import type { LocationModifier } from '../router/location-table.ts';
import { normalisePath } from '../router/normalise-path.ts';

/** A route's path, taken apart. */
export interface PathSettings {
  /** "@": only other routes lead to this one. */
  modifier: LocationModifier | '@';
  /** A path that begins with "/", the source of a regular expression, or a name. */
  value: string;
}

/** Takes a path apart; nothing is checked. */
export function parsePathText(text: string): PathSettings {
  const [, modifier, value] = /^(=|\^~|~\*|~|@|)\s*(.*)$/s.exec(text.trim())!;
  return { modifier: modifier as PathSettings['modifier'], value };
}

/** A path as written in a config: "/api/", "= /ping", "^~ /files/", "~ \\.php$", "~* \\.(png|jpg)$", "@name". */
export const pathShape = z
  .string()
  .meta({ examples: ['/', '= /ping', '^~ /files/', '~* \\.(png|jpg)$'] })
  .transform((text, context) => {
    const path = parsePathText(text);
    if (path.modifier === '@') return checkName(path, text, context);
    return isRegexPath(path) ? checkRegex(path, context) : checkPlainPath(path, text, context);
  });

/** Whether the value is a regular expression. */
export function isRegexPath(path: PathSettings): boolean {
  return path.modifier === '~' || path.modifier === '~*';
}

function checkName(path: PathSettings, text: string, context: ProblemSink): PathSettings {
  if (/^[\w.-]+$/.test(path.value)) return path;
  return addProblem(context, `${JSON.stringify(text)} is not the name of a route`, 'such as "@app"');
}

function checkRegex(path: PathSettings, context: ProblemSink): PathSettings {
  if (path.value === '') return addProblem(context, `a regular expression must follow "${path.modifier}"`);
  const problem = findRegexProblem(path.value, path.modifier === '~*' ? 'i' : '');
  return problem === null ? path : addProblem(context, `bad regular expression: ${problem}`);
}

function checkPlainPath(path: PathSettings, text: string, context: ProblemSink): PathSettings {
  const { modifier, value } = path;
  const write = (better: string) => `did you mean ${JSON.stringify(`${modifier} ${better}`.trim())}?`;
  if (!value.startsWith('/')) {
    const isRegex = /[\\^$|[\]*+]/.test(value);
    const hint = isRegex ? 'a regular expression follows "~ " or "~* "' : write(`/${value}`);
    return addProblem(context, `${JSON.stringify(text)} is not a path: it must begin with "/"`, hint);
  }
  const decoded = decodePath(value);
  if (decoded !== value)
    return addProblem(
      context,
      'this path can never match: paths are compared after decoding',
      write(decoded),
    );
  const reachable = findReachablePath(value);
  if (reachable === value) return path;
  const problem = 'this path can never match: paths are compared after normalising';
  return addProblem(context, problem, reachable === null ? '' : write(reachable));
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The path under which a request for this one is matched; null when the server refuses such a request. */
function findReachablePath(path: string): string | null {
  try {
    return normalisePath(encodePath(path)).path;
  } catch (error) {
    if (error instanceof HttpError) return null;
    throw error;
  }
}
