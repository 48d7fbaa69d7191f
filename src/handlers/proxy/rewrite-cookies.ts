// The cookies that an upstream sets, in the client's terms: their domain, path and flags (nginx's proxy_cookie_*).

import type { Exchange } from '../../message/exchange.ts';
import { toFieldValue } from '../../message/field-value.ts';
import { isFieldName } from '../../message/fields.ts';
import type { ProxySettings } from './proxy-shape.ts';
import type { ChangeFields } from './rewrite-redirect.ts';
import type { CookieFlag } from './rewrite-shape.ts';
import { compileRewrite, compileRulePattern, type RewriteText } from './rewrite-text.ts';

type CookieSettings = Pick<ProxySettings, 'cookieDomain' | 'cookiePath' | 'cookieFlags'>;

/** Changes the attributes of one cookie, each without the spaces around it. */
type ChangeAttributes = (exchange: Exchange, name: string, attributes: string[]) => void;

/** Compiles the `cookie*` settings; null when there are none. */
export function compileCookies({
  cookieDomain,
  cookiePath,
  cookieFlags,
}: CookieSettings): ChangeFields | null {
  const changes: ChangeAttributes[] = [];
  if (cookieDomain.length > 0) {
    const rules = cookieDomain.map(([from, to]) => [cutDot(from), cutDot(to)] as const);
    changes.push(changeValue('domain', compileRewrite(rules, 'whole', true), cutDot));
  }
  if (cookiePath.length > 0) changes.push(changeValue('path', compileRewrite(cookiePath, 'prefix', false)));
  if (cookieFlags.length > 0) changes.push(changeFlags(cookieFlags));
  if (changes.length === 0) return null;
  return (exchange, fields) => {
    for (let i = 0; i < fields.length; i += 2) {
      if (isFieldName(fields[i], 'set-cookie'))
        fields[i + 1] = changeCookie(exchange, fields[i + 1], changes);
    }
  };
}

function changeCookie(exchange: Exchange, value: string, changes: readonly ChangeAttributes[]): string {
  const [pair, ...attributes] = value.split(';').map((part) => part.trim());
  const before = attributes.join('; ');
  const name = pair.slice(0, Math.max(0, pair.indexOf('='))).trim();
  for (const change of changes) change(exchange, name, attributes);
  const after = attributes.join('; ');
  if (after === before) return value;
  return after === '' ? pair : `${pair}; ${after}`;
}

/** An attribute that becomes empty is left out: a cookie without Domain is this host's own. */
function changeValue(
  attribute: string,
  rewrite: RewriteText,
  prepare: (value: string) => string = (value) => value,
): ChangeAttributes {
  return (exchange, _, attributes) => {
    for (let i = attributes.length - 1; i >= 0; i--) {
      const equals = attributes[i].indexOf('=');
      if (equals === -1 || nameOf(attributes[i]) !== attribute) continue;
      const rewritten = rewrite(exchange, prepare(attributes[i].slice(equals + 1).trim()));
      if (rewritten === null) continue;
      // What variables hold can add no attribute.
      const clean = toFieldValue(rewritten).replaceAll(';', '%3B');
      if (clean === '') attributes.splice(i, 1);
      else attributes[i] = `${attributes[i].slice(0, equals)}=${clean}`;
    }
  };
}

function changeFlags(
  rules: readonly (readonly [cookie: string, flags: readonly CookieFlag[]])[],
): ChangeAttributes {
  const compiled = rules.map(([cookie, flags]) => ({
    fits: cookie.startsWith('~') ? compileRulePattern(cookie, true) : null,
    lowerName: cookie.toLowerCase(),
    flags,
  }));
  return (_, name, attributes) => {
    const rule = compiled.find(({ fits, lowerName }) =>
      fits === null ? lowerName === name.toLowerCase() : fits.test(name),
    );
    for (const flag of rule?.flags ?? []) applyFlag(flag, attributes);
  };
}

const spellings: Readonly<Record<string, string>> = { secure: 'Secure', httponly: 'HttpOnly' };

function applyFlag(flag: CookieFlag, attributes: string[]): void {
  const [word, value] = flag.split('=');
  const isRemoved = word.startsWith('no');
  const name = isRemoved ? word.slice(2) : word;
  const at = attributes.findIndex((attribute) => nameOf(attribute) === name);
  const text = value === undefined ? spellings[name] : `SameSite=${value[0].toUpperCase()}${value.slice(1)}`;
  if (isRemoved) {
    if (at !== -1) attributes.splice(at, 1);
  } else if (at === -1) attributes.push(text);
  else attributes[at] = text;
}

function nameOf(attribute: string): string {
  return attribute.split('=', 1)[0].trim().toLowerCase();
}

/** RFC 6265 5.2.3 disregards a dot in front. */
function cutDot(domain: string): string {
  return domain.startsWith('.') ? domain.slice(1) : domain;
}
