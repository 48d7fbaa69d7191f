// Strings with $variables, compiled at load into one function. "$$" is a plain dollar sign; "${name}" ends a name
// where letters follow.

import type { Exchange } from './exchange.ts';
import { compileVariable, type ReadVariable } from './variables.ts';

/** A compiled string. */
export interface Template {
  /** The text, when it holds no variable; null otherwise. */
  readonly constant: string | null;
  /** The text for one exchange. */
  readonly evaluate: (exchange: Exchange) => string;
}

/** Thrown by {@link compileTemplate}: a name that is no variable, or a "$" that begins none. */
export class TemplateError extends Error {
  /** The unknown name without "$", or "" for a stray "$". */
  readonly variable: string;

  constructor(variable: string) {
    super(
      variable === ''
        ? 'a "$" that begins no variable (write "$$" for a dollar sign)'
        : `unknown variable "$${variable}"`,
    );
    this.name = 'TemplateError';
    this.variable = variable;
  }
}

const variablePattern = /\$(?:(\$)|\{([a-z0-9_]+)\}|([a-z0-9_]+)|)/gi;

/** Compiles a string that may hold variables. Throws a {@link TemplateError}. */
export function compileTemplate(text: string): Template {
  const parts: (string | ReadVariable)[] = [];
  let end = 0;
  for (const match of text.matchAll(variablePattern)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[1] === '$') parts.push('$');
    else parts.push(compileNamed((match[2] ?? match[3] ?? '').toLowerCase()));
  }
  if (end < text.length) parts.push(text.slice(end));
  return join(parts);
}

function compileNamed(name: string): ReadVariable {
  const reader = name === '' ? null : compileVariable(name);
  if (reader === null) throw new TemplateError(name);
  return reader;
}

function join(parts: (string | ReadVariable)[]): Template {
  if (parts.every((part) => typeof part === 'string')) {
    const constant = parts.join('');
    return { constant, evaluate: () => constant };
  }
  if (parts.length === 1) return { constant: null, evaluate: parts[0] as ReadVariable };
  return {
    constant: null,
    evaluate: (exchange) => {
      let text = '';
      for (const part of parts) text += typeof part === 'string' ? part : part(exchange);
      return text;
    },
  };
}
