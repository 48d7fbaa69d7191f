// Sets, adds and removes fields of a reply on its way back. Framing fields are refused by the shape, not here.

import type { Exchange } from '../../message/exchange.ts';
import { toFieldValue } from '../../message/field-value.ts';
import { type Fields, hasField, removeField } from '../../message/fields.ts';
import { Reply } from '../../message/reply.ts';
import { compileTemplate, type Template } from '../../message/template.ts';
import type { FieldRule, HeaderRules } from './header-rules.ts';

/** Gives a reply its fields: the same reply, changed, or another one in place of a shared reply. */
export type ApplyHeaders = (exchange: Exchange, reply: Reply) => Reply;

interface CompiledRule {
  readonly name: string;
  readonly lowerName: string;
  readonly removes: boolean;
  /** In place of nothing only. */
  readonly isDefault: boolean;
  readonly templates: readonly Template[];
  readonly holds: (status: number) => boolean;
}

// They speak of the content that was asked for: on an error they would make caches keep the error.
const freshnessFields: ReadonlySet<string> = new Set(['cache-control', 'expires']);
// They describe the content, which a 304 does not have (RFC 9110 15.4.5).
const contentFields: ReadonlySet<string> = new Set(
  'content-type content-encoding content-language content-range content-disposition'.split(' '),
);
// What nginx's add_header takes for an answer without "always".
const goodStatuses: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/**
 * Compiles rules for replies of every status. Setting replaces a field, but Set-Cookie is added; a template that
 * gives "" leaves the field out. Unless a rule says otherwise, Cache-Control and Expires are not set on a status of 400
 * or more. What describes content is not set on a 304.
 */
export function compileHeaders(settings: HeaderRules): ApplyHeaders {
  const rules = Object.entries(settings);
  const plain = compileForScheme(rules.filter(([, rule]) => !isForHttps(rule)));
  if (!rules.some(([, rule]) => isForHttps(rule))) return plain;
  const secure = compileForScheme(rules);
  return (exchange, reply) => (exchange.connection.scheme === 'https' ? secure : plain)(exchange, reply);
}

function isForHttps(rule: HeaderRules[string]): boolean {
  return typeof rule === 'object' && rule?.scheme === 'https';
}

function compileForScheme(entries: readonly (readonly [string, HeaderRules[string]])[]): ApplyHeaders {
  const rules = entries.flatMap(([name, rule]) => compileRule(name, rule));
  if (rules.length === 0) return (_exchange, reply) => reply;
  const isConstant = rules.every(({ templates }) => templates.every(({ constant }) => constant !== null));
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

function compileRule(name: string, written: HeaderRules[string]): CompiledRule[] {
  const lowerName = name.toLowerCase();
  if (written === null) {
    return [{ name, lowerName, removes: true, isDefault: false, templates: [], holds: () => true }];
  }
  const rule: FieldRule = typeof written === 'string' ? { set: [written] } : written;
  const holds = compileStatuses(lowerName, rule.always);
  const compile = (
    texts: readonly string[] | undefined,
    removes: boolean,
    isDefault: boolean,
  ): CompiledRule[] =>
    texts === undefined
      ? []
      : [{ name, lowerName, removes, isDefault, templates: texts.map(compileTemplate), holds }];
  return [
    ...compile(rule.default, false, true),
    ...compile(rule.set, lowerName !== 'set-cookie', false),
    ...compile(rule.add, false, false),
  ];
}

function compileStatuses(lowerName: string, always: boolean | undefined): (status: number) => boolean {
  if (contentFields.has(lowerName)) {
    const holds = compileStatuses('', always);
    return (status) => status !== 304 && holds(status);
  }
  if (always === false) return (status) => goodStatuses.has(status);
  if (always === undefined && freshnessFields.has(lowerName)) return (status) => status < 400;
  return () => true;
}

function applyRules(
  rules: readonly CompiledRule[],
  exchange: Exchange,
  status: number,
  fields: Fields,
): void {
  for (const { name, lowerName, removes, isDefault, templates, holds } of rules) {
    if (!holds(status) || (isDefault && hasField(fields, lowerName))) continue;
    if (removes) removeField(fields, lowerName);
    for (const template of templates) {
      const value = toFieldValue(template.evaluate(exchange));
      if (value !== '') fields.push(name, value);
    }
  }
}
