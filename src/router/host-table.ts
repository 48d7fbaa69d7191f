// Which virtual host answers a host name, with nginx's precedence: exact, longest "*.x", longest "x.*", first regular
// expression, the listener's default. Knows nothing of what a virtual host is.

/** A virtual host as it stands in a config. */
export interface HostEntry<T> {
  /** Lower case: "a.example", "*.example", "www.*", "~regexp"; "" for requests that name no host. */
  readonly names: readonly string[];
  /** Whether it takes what no name fits. Without any such entry the first one does. */
  readonly isDefault: boolean;
  readonly payload: T;
}

/** The virtual hosts of one listener, compiled. */
export class HostTable<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows "*." */
  readonly #suffixes = new Map<string, T>();
  /** By what precedes ".*" */
  readonly #prefixes = new Map<string, T>();
  readonly #patterns: { readonly expression: RegExp; readonly payload: T }[] = [];
  readonly #default: T;

  /** At least one entry. Of two equal names the first wins. Throws a SyntaxError for a bad regular expression. */
  constructor(entries: readonly HostEntry<T>[]) {
    for (const { names, payload } of entries) {
      for (const name of names) this.#add(name, payload);
    }
    this.#default = (entries.find((entry) => entry.isDefault) ?? entries[0]).payload;
  }

  /** The payload of the virtual host for a name in canonical form (lower case, no port, no trailing dot). */
  match(host: string): T {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    return this.#matchSuffix(host) ?? this.#matchPrefix(host) ?? this.#matchPattern(host) ?? this.#default;
  }

  #add(name: string, payload: T): void {
    if (name.startsWith('~')) {
      this.#patterns.push({ expression: new RegExp(name.slice(1), 'i'), payload });
      return;
    }
    const [table, key] = name.startsWith('*.')
      ? [this.#suffixes, name.slice(2)]
      : name.endsWith('.*')
        ? [this.#prefixes, name.slice(0, -2)]
        : [this.#exact, name];
    if (!table.has(key)) table.set(key, payload);
  }

  #matchSuffix(host: string): T | undefined {
    if (this.#suffixes.size === 0) return undefined;
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const found = this.#suffixes.get(host.slice(dot + 1));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #matchPrefix(host: string): T | undefined {
    if (this.#prefixes.size === 0) return undefined;
    for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
      const found = this.#prefixes.get(host.slice(0, dot));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #matchPattern(host: string): T | undefined {
    return this.#patterns.find(({ expression }) => expression.test(host))?.payload;
  }
}
