// Which location answers a path, with nginx's precedence: an exact one; else the longest prefix, unless it is not
// "^~" and a regular expression (in file order) matches too. Knows nothing of what a location is.

/** How a location's path is compared; nginx's modifiers. */
export type LocationModifier = '' | '=' | '^~' | '~' | '~*';

/** A location as it stands in a config. */
export interface LocationEntry<T> {
  readonly modifier: LocationModifier;
  /** A path, or the source of a regular expression. */
  readonly value: string;
  readonly payload: T;
}

interface PrefixLocation<T> {
  readonly payload: T;
  /** "^~": no regular expression may take the path away. */
  readonly final: boolean;
}

/** The locations of one virtual host, compiled. A lookup costs the same for ten prefixes and for ten thousand. */
export class LocationTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #prefixes = new Map<string, PrefixLocation<T>>();
  /** The distinct lengths of prefixes, longest first. */
  readonly #lengths: number[];
  readonly #patterns: { readonly expression: RegExp; readonly payload: T }[] = [];

  /** Throws a SyntaxError for a bad regular expression. Of two equal paths the first wins. */
  constructor(entries: readonly LocationEntry<T>[]) {
    for (const { modifier, value, payload } of entries) {
      if (modifier === '~' || modifier === '~*') {
        this.#patterns.push({ expression: new RegExp(value, modifier === '~*' ? 'i' : ''), payload });
      } else if (modifier === '=') {
        if (!this.#exact.has(value)) this.#exact.set(value, payload);
      } else if (!this.#prefixes.has(value)) {
        this.#prefixes.set(value, { payload, final: modifier === '^~' });
      }
    }
    const lengths = new Set([...this.#prefixes.keys()].map((prefix) => prefix.length));
    this.#lengths = [...lengths].sort((a, b) => b - a);
  }

  /** The payload of the location that answers a normalised path, or null. */
  match(path: string): T | null {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    const prefix = this.#findLongestPrefix(path);
    if (prefix?.final) return prefix.payload;
    for (const { expression, payload } of this.#patterns) {
      if (expression.test(path)) return payload;
    }
    return prefix === null ? null : prefix.payload;
  }

  #findLongestPrefix(path: string): PrefixLocation<T> | null {
    for (const length of this.#lengths) {
      if (length > path.length) continue;
      const found = this.#prefixes.get(length === path.length ? path : path.slice(0, length));
      if (found !== undefined) return found;
    }
    return null;
  }
}
