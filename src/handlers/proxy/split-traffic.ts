// Which of several upstreams a request goes to (nginx's split_clients): decided by a hash of a key, so that the same
// key has the same upstream in every process and after every restart, or by a cookie that holds on to the decision.

import type { Exchange } from '../../message/exchange.ts';
import { compileTemplate } from '../../message/template.ts';
import { compileVariable } from '../../message/variables.ts';
import type { ChangeFields } from './rewrite-redirect.ts';
import type { SplitSettings } from './split-shape.ts';

/** The name of the upstream for a request. The same for the same exchange, whenever it is asked. */
export type ChooseUpstream = (exchange: Exchange) => string;

/** Compiles the choice. What no share takes goes to `rest`. */
export function compileSplit({ to, key, cookie }: SplitSettings, rest: string): ChooseUpstream {
  const { evaluate } = compileTemplate(key);
  let sum = 0;
  const ends = to.map(({ upstream, share }) => {
    sum += share;
    return { upstream, end: sum };
  });
  const byKey = (exchange: Exchange): string => {
    const position = (hashText(evaluate(exchange)) / 2 ** 32) * 100;
    return ends.find(({ end }) => position < end)?.upstream ?? rest;
  };
  if (cookie === null) return byKey;
  const names = new Set([rest, ...to.map(({ upstream }) => upstream)]);
  const readCookie = compileCookie(cookie);
  return (exchange) => {
    const said = readCookie(exchange);
    return names.has(said) ? said : byKey(exchange);
  };
}

/** Has clients keep the decision in the cookie; null when there is none. */
export function compileSplitCookie({ cookie }: SplitSettings, choose: ChooseUpstream): ChangeFields | null {
  if (cookie === null) return null;
  const readCookie = compileCookie(cookie);
  return (exchange, fields) => {
    const chosen = choose(exchange);
    if (readCookie(exchange) === chosen) return;
    const secure = exchange.connection.scheme === 'https' ? '; Secure' : '';
    fields.push('Set-Cookie', `${cookie}=${chosen}; Path=/; HttpOnly; SameSite=Lax${secure}`);
  };
}

function compileCookie(name: string): (exchange: Exchange) => string {
  return compileVariable(`cookie_${name}`) ?? (() => '');
}

/** 32 bits of FNV-1a over the UTF-16 units, mixed so that keys which differ in their last character spread, too. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
