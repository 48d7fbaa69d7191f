// Headers of the web standard over the flat field list of a message: what is put in stays as it is, and only iterating
// pays for lower case and order. Odd ways to fill one are left to the platform's class.

import { inspect } from 'node:util';
import { type Fields, hasField, isFieldName, removeField } from '../message/fields.ts';
import { checkHeaderName, checkHeaderValue } from './header-syntax.ts';
import { dressAs, markUncloneable, PlatformHeaders } from './platform-web.ts';

type HeadersInit = ConstructorParameters<typeof Headers>[0];
type Kind = 'key' | 'value' | 'key+value';

/** The field list of Headers of ours, theirs to change; null for any other value. */
export let getHeaderFields: (headers: unknown) => Fields | null;

/** Headers over a list whose names and values are known to be allowed. The list is theirs from then on. */
export let wrapFields: (fields: Fields) => LeanHeaders;

let getSortedFields: (headers: LeanHeaders) => Fields;

/** Stands in for the platform's Headers. */
export class LeanHeaders {
  #fields: Fields;
  /** Lower-case names in order, values of equal names joined; null when not known. */
  #sorted: Fields | null = null;

  constructor(init: HeadersInit = undefined) {
    markUncloneable?.(this);
    this.#fields = init === undefined ? [] : readInit(init);
  }

  append(...given: [name: string, value: string]): void {
    const fields = this.#fields;
    if (given.length < 2) throw new TypeError('append needs a name and a value');
    const name = checkHeaderName(given[0]);
    fields.push(name, checkHeaderValue(given[1]));
    this.#sorted = null;
  }

  delete(...given: [name: string]): void {
    removeField(this.#fields, toLowerName(given));
    this.#sorted = null;
  }

  get(...given: [name: string]): string | null {
    const fields = this.#fields;
    const name = toLowerName(given);
    let joined: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (isFieldName(fields[i], name)) joined = join(joined, fields[i + 1], name);
    }
    return joined;
  }

  getSetCookie(): string[] {
    const fields = this.#fields;
    const cookies: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      if (isFieldName(fields[i], 'set-cookie')) cookies.push(fields[i + 1]);
    }
    return cookies;
  }

  has(...given: [name: string]): boolean {
    return hasField(this.#fields, toLowerName(given));
  }

  set(...given: [name: string, value: string]): void {
    const fields = this.#fields;
    if (given.length < 2) throw new TypeError('set needs a name and a value');
    const name = checkHeaderName(given[0]);
    const value = checkHeaderValue(given[1]);
    const lowerName = name.toLowerCase();
    let kept = 0;
    let found = false;
    for (let i = 0; i < fields.length; i += 2) {
      const isNamed = isFieldName(fields[i], lowerName);
      if (isNamed && found) continue;
      fields[kept] = isNamed ? name : fields[i];
      fields[kept + 1] = isNamed ? value : fields[i + 1];
      found ||= isNamed;
      kept += 2;
    }
    fields.length = kept;
    if (!found) fields.push(name, value);
    this.#sorted = null;
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArgument?: unknown): void {
    let fields = this.#sort();
    if (typeof callback !== 'function') throw new TypeError('forEach needs a function');
    for (let at = 0; at < fields.length; at += 2) {
      callback.call(thisArgument, fields[at + 1], fields[at], this as unknown as Headers);
      fields = this.#sort();
    }
  }

  keys(): IterableIterator<string> {
    return new HeadersIterator(this, 'key') as unknown as IterableIterator<string>;
  }

  values(): IterableIterator<string> {
    return new HeadersIterator(this, 'value') as unknown as IterableIterator<string>;
  }

  entries(): IterableIterator<[string, string]> {
    return new HeadersIterator(this, 'key+value') as unknown as IterableIterator<[string, string]>;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  [inspect.custom](depth: number, options: object): string {
    const shown = new Map<string, [name: string, value: string]>();
    for (let i = 0; i < this.#fields.length; i += 2) {
      const name = this.#fields[i].toLowerCase();
      const known = shown.get(name);
      if (known === undefined) shown.set(name, [this.#fields[i], this.#fields[i + 1]]);
      else known[1] = join(known[1], this.#fields[i + 1], name);
    }
    return `Headers ${inspect(Object.fromEntries(shown.values()), { depth, ...options })}`;
  }

  #sort(): Fields {
    if (this.#sorted !== null) return this.#sorted;
    const entries: [name: string, value: string][] = [];
    const places = new Map<string, [name: string, value: string]>();
    for (let i = 0; i < this.#fields.length; i += 2) {
      const name = this.#fields[i].toLowerCase();
      const known = name === 'set-cookie' ? undefined : places.get(name);
      if (known !== undefined) {
        known[1] = join(known[1], this.#fields[i + 1], name);
      } else {
        const entry: [string, string] = [name, this.#fields[i + 1]];
        places.set(name, entry);
        entries.push(entry);
      }
    }
    entries.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#sorted = entries.flat();
    return this.#sorted;
  }

  static {
    getHeaderFields = (headers) =>
      typeof headers === 'object' && headers !== null && #fields in headers ? headers.#fields : null;
    getSortedFields = (headers) => headers.#sort();
    wrapFields = (fields) => {
      const headers = new LeanHeaders();
      headers.#fields = fields;
      return headers;
    };
  }
}

/** Goes by position over what the headers hold at each step, as the standard's live iteration does. */
class HeadersIterator {
  readonly #headers: LeanHeaders;
  readonly #kind: Kind;
  #position = 0;

  constructor(headers: LeanHeaders, kind: Kind) {
    // Fails at once for what are no Headers.
    getSortedFields(headers);
    this.#headers = headers;
    this.#kind = kind;
  }

  next(): IteratorResult<string | [name: string, value: string], undefined> {
    const fields = getSortedFields(this.#headers);
    const at = this.#position;
    if (at >= fields.length) return { done: true, value: undefined };
    this.#position = at + 2;
    if (this.#kind === 'key+value') return { done: false, value: [fields[at], fields[at + 1]] };
    return { done: false, value: fields[this.#kind === 'key' ? at : at + 1] };
  }
}

/** The request's own field is the one that is not joined by commas (RFC 6265 5.4). */
function join(known: string | null, value: string, lowerName: string): string {
  if (known === null) return value;
  return lowerName === 'cookie' ? `${known}; ${value}` : `${known}, ${value}`;
}

function toLowerName(given: readonly unknown[]): string {
  if (given.length < 1) throw new TypeError('a header name is missing');
  return checkHeaderName(given[0]).toLowerCase();
}

function readInit(init: unknown): Fields {
  if (typeof init !== 'object' || init === null) return readOddInit(init);
  const iterate = (init as Partial<Iterable<unknown>>)[Symbol.iterator];
  if (iterate === undefined) return readRecord(init as Readonly<Record<string, unknown>>);
  const known = getHeaderFields(init);
  if (known !== null && iterate === LeanHeaders.prototype[Symbol.iterator]) return known.slice();
  return Array.isArray(init) && iterate === Array.prototype[Symbol.iterator]
    ? readPairs(init)
    : readOddInit(init);
}

/** A list of lists of two. Everything else that can be iterated is the platform's. */
function readPairs(init: readonly unknown[]): Fields {
  const fields: Fields = [];
  for (const pair of init) {
    if (!Array.isArray(pair) || pair.length !== 2) return readOddInit(init);
  }
  for (const [name, value] of init as [unknown, unknown][]) {
    fields.push(checkHeaderName(name), checkHeaderValue(value));
  }
  return fields;
}

/** An object of names and values. Hidden and symbol-named members are the platform's to judge. */
function readRecord(init: Readonly<Record<string, unknown>>): Fields {
  const names = Object.keys(init);
  if (names.length !== Reflect.ownKeys(init).length) return readOddInit(init);
  const fields: Fields = [];
  for (const name of names) fields.push(checkHeaderName(name), checkHeaderValue(init[name]));
  return fields;
}

function readOddInit(init: unknown): Fields {
  const fields: Fields = [];
  for (const [name, value] of new PlatformHeaders(init as HeadersInit)) fields.push(name, value);
  return fields;
}

dressAs(LeanHeaders, PlatformHeaders);
Object.defineProperty(LeanHeaders.prototype, Symbol.iterator, {
  ...Object.getOwnPropertyDescriptor(PlatformHeaders.prototype, Symbol.iterator),
  value: LeanHeaders.prototype.entries,
});
Object.setPrototypeOf(
  HeadersIterator.prototype,
  Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
);
Reflect.deleteProperty(HeadersIterator.prototype, 'constructor');
Object.defineProperty(HeadersIterator.prototype, 'next', { enumerable: true });
Object.defineProperty(HeadersIterator.prototype, Symbol.toStringTag, {
  value: 'Headers Iterator',
  configurable: true,
});
