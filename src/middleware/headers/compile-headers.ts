// Sets, adds and removes fields of a reply on its way back. Framing fields are refused by the shape, not here.

import type { Exchange } from '../../message/exchange.ts';
import { toFieldValue } from '../../message/field-value.ts';
import { type Fields, removeField } from '../../message/fields.ts';
import { Reply } from '../../message/reply.ts';
import { compileTemplate, type Template } from '../../message/template.ts';

/** What to do with fields, by name: a template sets one, null removes it. */
export type HeaderRules = Readonly<Record<string, string | null>>;

/** Gives a reply its fields: the same reply, changed, or another one in place of a shared reply. */
export type ApplyHeaders = (exchange: Exchange, reply: Reply) => Reply;

interface FieldRule {
  readonly name: string;
  readonly lowerName: string;
  /** Null removes. */
  readonly template: Template | null;
}

// They speak of the content that was asked for: on an error they would make caches keep the error.
const freshnessFields: ReadonlySet<string> = new Set(['cache-control', 'expires']);

/**
 * Compiles rules for replies of every status. Setting replaces a field, but Set-Cookie is added; a template that
 * gives "" leaves the field out. Cache-Control and Expires are not set on a status of 400 or more.
 */
export function compileHeaders(settings: HeaderRules): ApplyHeaders {
  const rules = Object.entries(settings).map(([name, value]) => compileRule(name, value));
  if (rules.length === 0) return (_exchange, reply) => reply;
  const isConstant = rules.every(({ template }) => template === null || template.constant !== null);
  // A cached file must stay one shared reply, or it would be rendered for each request.
  const derived = new WeakMap<Reply, Reply>();
  return (exchange, reply) => {
    if (!reply.shared) {
      applyRules(rules, exchange, reply.status, reply.fields);
      return reply;
    }
    const known = derived.get(reply);
    if (known !== undefined) return known;
    const fields = [...reply.fields];
    applyRules(rules, exchange, reply.status, fields);
    const copy = new Reply(reply.status, fields, reply.body, isConstant);
    if (isConstant) derived.set(reply, copy);
    return copy;
  };
}

function compileRule(name: string, value: string | null): FieldRule {
  return { name, lowerName: name.toLowerCase(), template: value === null ? null : compileTemplate(value) };
}

function applyRules(rules: readonly FieldRule[], exchange: Exchange, status: number, fields: Fields): void {
  for (const { name, lowerName, template } of rules) {
    if (template === null) {
      removeField(fields, lowerName);
      continue;
    }
    if (status >= 400 && freshnessFields.has(lowerName)) continue;
    if (lowerName !== 'set-cookie') removeField(fields, lowerName);
    const value = toFieldValue(template.evaluate(exchange));
    if (value !== '') fields.push(name, value);
  }
}
