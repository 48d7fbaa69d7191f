// The target of a redirect: a template whose values can neither inject a field nor, when it was written as a path,
// lead to another host.

import type { Exchange } from '../../message/exchange.ts';
import { collapseLeadingSlashes, encodePath, encodeUri } from '../../message/location.ts';
import { compileTemplate, type Template } from '../../message/template.ts';

const localStart = /^\/(?![/\\])/;
// $$ is matched first, so that the second dollar sign of "$$uri" begins no variable.
const uriVariable = /\$\$|\$\{uri\}|\$uri(?![a-z0-9_])/gi;

/**
 * Compiles the target of a redirect. `$uri`, a decoded path, is percent-encoded; other values are taken for parts of a
 * URI as they are, only what no URI may hold is encoded. A template that begins with one "/", or that turns
 * out to, gives a path of this site. Throws a TemplateError.
 */
export function compileLocation(text: string): Template {
  const parts = splitAtUri(text);
  const mayLeave = text.startsWith('/') && !localStart.test(text);
  const finish = (target: string) => toLocation(target, mayLeave);
  if (parts.every((part) => part !== null && part.constant !== null)) {
    const constant = finish(parts.map((part) => part?.constant).join(''));
    return { constant, evaluate: () => constant };
  }
  return {
    constant: null,
    evaluate: (exchange: Exchange) => {
      let target = '';
      for (const part of parts) {
        target += part === null ? encodePath(exchange.path) : part.evaluate(exchange);
      }
      return finish(target);
    },
  };
}

/** The template's parts; null stands for `$uri`. */
function splitAtUri(text: string): (Template | null)[] {
  const parts: (Template | null)[] = [];
  let end = 0;
  for (const match of text.matchAll(uriVariable)) {
    if (match[0] === '$$') continue;
    if (match.index > end) parts.push(compileTemplate(text.slice(end, match.index)));
    parts.push(null);
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(compileTemplate(text.slice(end)));
  return parts;
}

function toLocation(target: string, mayLeave: boolean): string {
  // Clients take an empty reference for the page itself: an endless loop.
  if (target === '') return '/';
  // Slashes first, encoding second: an encoded backslash is harmless, and so is an encoded tab between two slashes,
  // which clients would have removed.
  const isPath = !mayLeave && /^[/\\]/.test(target);
  return encodeUri(isPath ? collapseLeadingSlashes(target) : target);
}
