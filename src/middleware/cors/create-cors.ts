// Lets pages of other origins read answers (Fetch Standard 3.2). Preflights are answered here; every other answer,
// errors too, gets the fields that a browser looks for. It keeps nobody from asking: that is for access rules.

import { addVary } from '../../message/add-vary.ts';
import type { Exchange } from '../../message/exchange.ts';
import { type Fields, getField, hasField, removeField } from '../../message/fields.ts';
import type { Handle } from '../../message/handler.ts';
import { type Answer, Reply } from '../../message/reply.ts';
import type { CorsSettings } from './cors-shape.ts';

/** CORS for one location. */
export interface Cors {
  /** Answers preflights, and gives replies their fields. */
  readonly wrap: (next: Handle) => Handle;
  /** Gives a reply that did not come from the wrapped handler its fields: an error's. */
  readonly apply: (exchange: Exchange, reply: Reply) => Reply;
}

/** Compiles a `cors` setting. */
export function createCors(settings: CorsSettings): Cors {
  const policy = new CorsPolicy(settings);
  const apply = (exchange: Exchange, reply: Reply): Reply => policy.apply(exchange, reply);
  const applyToAnswer = (exchange: Exchange, answer: Answer): Answer =>
    answer instanceof Reply && answer.status !== 101 ? apply(exchange, answer) : answer;
  const wrap = (next: Handle): Handle => {
    return (exchange) => {
      if (isPreflight(exchange)) return policy.answerPreflight(exchange);
      const answer = next(exchange);
      if (answer instanceof Promise) return answer.then((settled) => applyToAnswer(exchange, settled));
      return applyToAnswer(exchange, answer);
    };
  };
  return { wrap, apply };
}

function isPreflight({ method, fields }: Exchange): boolean {
  return (
    method === 'OPTIONS' && hasField(fields, 'origin') && hasField(fields, 'access-control-request-method')
  );
}

class CorsPolicy {
  readonly #settings: CorsSettings;
  readonly #origins: ReadonlySet<string>;
  readonly #patterns: readonly RegExp[];
  readonly #allowsAll: boolean;
  /** The copies of shared replies by origin: of those named in the settings, so there are never many. */
  readonly #derived = new WeakMap<Reply, Map<string, Reply>>();

  constructor(settings: CorsSettings) {
    const { origins } = settings;
    this.#settings = settings;
    this.#allowsAll = origins.includes('*');
    this.#patterns = origins
      .filter((origin) => origin.startsWith('~'))
      .map((text) => new RegExp(text.slice(1)));
    this.#origins = new Set(origins.filter((origin) => !origin.startsWith('~')));
  }

  answerPreflight({ fields: asked }: Exchange): Reply {
    const { methods, allowHeaders, maxAge } = this.#settings;
    const fields: Fields = [];
    const allowed = this.#findAllowed(getField(asked, 'origin'));
    if (allowed !== null) {
      this.#pushAllowed(fields, allowed);
      fields.push('Access-Control-Allow-Methods', methods.join(', '));
      const names = allowHeaders?.join(', ') ?? readAskedNames(asked);
      if (names !== '') fields.push('Access-Control-Allow-Headers', names);
      fields.push('Access-Control-Max-Age', String(Math.floor(maxAge / 1000)));
    }
    if (!this.#allowsAll) addVary(fields, 'Origin');
    if (allowHeaders === null) addVary(fields, 'Access-Control-Request-Headers');
    return new Reply(204, fields, null);
  }

  apply(exchange: Exchange, reply: Reply): Reply {
    const origin = getField(exchange.fields, 'origin');
    const allowed = this.#findAllowed(origin);
    if (!reply.shared) {
      this.#applyTo(reply.fields, allowed);
      return reply;
    }
    const isBounded = allowed === null || this.#origins.has(allowed);
    const copies = this.#derived.get(reply) ?? new Map<string, Reply>();
    const known = isBounded ? copies.get(allowed ?? '') : undefined;
    if (known !== undefined) return known;
    const copy = new Reply(reply.status, [...reply.fields], reply.body, isBounded);
    this.#applyTo(copy.fields, allowed);
    if (isBounded) {
      copies.set(allowed ?? '', copy);
      this.#derived.set(reply, copies);
    }
    return copy;
  }

  #applyTo(fields: Fields, allowed: string | null): void {
    const { exposeHeaders } = this.#settings;
    // An application that sets its own would have two of them, and the browser would take neither.
    for (const name of ['access-control-allow-origin', 'access-control-allow-credentials'])
      removeField(fields, name);
    if (allowed !== null) {
      this.#pushAllowed(fields, allowed);
      if (exposeHeaders.length > 0) {
        removeField(fields, 'access-control-expose-headers');
        fields.push('Access-Control-Expose-Headers', exposeHeaders.join(', '));
      }
    }
    // Also where no origin is allowed: a cache must not give that answer to one that is.
    if (!this.#allowsAll) addVary(fields, 'Origin');
  }

  #pushAllowed(fields: Fields, allowed: string): void {
    fields.push('Access-Control-Allow-Origin', allowed);
    if (this.#settings.credentials) fields.push('Access-Control-Allow-Credentials', 'true');
  }

  /** The value for Access-Control-Allow-Origin, or null. */
  #findAllowed(origin: string | undefined): string | null {
    if (this.#allowsAll) return '*';
    if (origin === undefined || !isSafeOrigin(origin)) return null;
    return this.#origins.has(origin) || this.#patterns.some((pattern) => pattern.test(origin))
      ? origin
      : null;
  }
}

// What browsers send as an origin: nothing else is repeated. "null" is every sandboxed page: it is no name.
function isSafeOrigin(origin: string): boolean {
  return origin.length <= 512 && /^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/i.test(origin) && !origin.includes(',');
}

/** Those of the asked names that are names. */
function readAskedNames(fields: Fields): string {
  const asked = getField(fields, 'access-control-request-headers') ?? '';
  if (asked.length > 4096) return '';
  return asked
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
    .join(', ');
}
