// Paths with variables, as `tryFiles` has them. $uri is the path that is being looked for; all else is a template's.

import type { Exchange } from '../../message/exchange.ts';
import { compileTemplate } from '../../message/template.ts';

/** The text for a path, and for the request that asks for it. */
export type EvaluatePath = (path: string, exchange: Exchange) => string;

// "$$" is matched to be passed over: it is a dollar sign, whatever follows.
const uriPattern = /\$\$|\$\{uri\}|\$uri(?![a-z0-9_])/gi;

/** Compiles a text; `write` turns a path into what stands for $uri. Throws a TemplateError. */
export function compilePathTemplate(text: string, write: (path: string) => string): EvaluatePath {
  const parts: EvaluatePath[] = [];
  const add = (literal: string): void => {
    if (literal === '') return;
    const { evaluate } = compileTemplate(literal);
    parts.push((_path, exchange) => evaluate(exchange));
  };
  let end = 0;
  for (const match of text.matchAll(uriPattern)) {
    if (match[0] === '$$') continue;
    add(text.slice(end, match.index));
    parts.push((path) => write(path));
    end = match.index + match[0].length;
  }
  add(text.slice(end));
  return (path, exchange) => {
    let result = '';
    for (const part of parts) result += part(path, exchange);
    return result;
  };
}

/** Whether a text has no variable but $uri. */
export function isPathTemplate(text: string): boolean {
  return !text.replace(uriPattern, '').includes('$');
}
