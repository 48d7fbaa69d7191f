// Rules of the kind "this text becomes that": the first rule that fits a text rewrites it. A rule is a fixed text with
// variables, or a regular expression behind "~" (or "~*": without regard to case), whose groups are $1 to $9 and which
// has the whole text replaced, as in nginx.

import type { Exchange } from '../../message/exchange.ts';
import { compileTemplate } from '../../message/template.ts';

/** What becomes what. */
export type RewriteRule = readonly [from: string, to: string];

/** The text as the first rule that fits has it; null when none does. */
export type RewriteText = (exchange: Exchange, text: string) => string | null;

/** How fixed texts are compared: at the start, the rest being kept; or as a whole, without regard to case. */
export type FixedMatch = 'prefix' | 'whole';

type Replacement = (exchange: Exchange, groups: RegExpExecArray) => string;

const groupPattern = /\$\$|\$([1-9])|\$\{([1-9])\}/g;

/** Compiles rules, in their order. `caseless` has every regular expression disregard case. */
export function compileRewrite(
  rules: readonly RewriteRule[],
  match: FixedMatch,
  caseless: boolean,
): RewriteText {
  const compiled = rules.map(([from, to]) =>
    from.startsWith('~') ? compileRegexRule(from, to, caseless) : compileFixedRule(from, to, match),
  );
  return (exchange, text) => {
    for (const rewrite of compiled) {
      const rewritten = rewrite(exchange, text);
      if (rewritten !== null) return rewritten;
    }
    return null;
  };
}

/** The regular expression of a text that begins with "~" or "~*". */
export function compileRulePattern(from: string, caseless: boolean): RegExp {
  const isCaseless = from.startsWith('~*');
  return new RegExp(from.slice(isCaseless ? 2 : 1), isCaseless || caseless ? 'i' : '');
}

/** A replacement without its groups, so that the rest can be checked as a template. */
export function cutGroups(to: string): string {
  return to.replace(groupPattern, (found) => (found === '$$' ? found : ''));
}

function compileRegexRule(from: string, to: string, caseless: boolean): RewriteText {
  const pattern = compileRulePattern(from, caseless);
  const replace = compileReplacement(to);
  return (exchange, text) => {
    const groups = pattern.exec(text);
    return groups === null ? null : replace(exchange, groups);
  };
}

function compileFixedRule(from: string, to: string, match: FixedMatch): RewriteText {
  const before = compileTemplate(from).evaluate;
  const after = compileTemplate(to).evaluate;
  if (match === 'prefix') {
    return (exchange, text) => {
      const start = before(exchange);
      return text.startsWith(start) ? after(exchange) + text.slice(start.length) : null;
    };
  }
  return (exchange, text) => (before(exchange).toLowerCase() === text.toLowerCase() ? after(exchange) : null);
}

/** Text between groups is a template of its own; "$$" is left to it. */
function compileReplacement(to: string): Replacement {
  const parts: Replacement[] = [];
  let start = 0;
  const addText = (end: number): void => {
    if (end === start) return;
    const { evaluate } = compileTemplate(to.slice(start, end));
    parts.push((exchange) => evaluate(exchange));
  };
  for (const found of to.matchAll(groupPattern)) {
    if (found[0] === '$$') continue;
    addText(found.index);
    start = found.index + found[0].length;
    const group = Number(found[1] ?? found[2]);
    parts.push((_, groups) => groups[group] ?? '');
  }
  addText(to.length);
  return (exchange, groups) => parts.map((part) => part(exchange, groups)).join('');
}
