// Things that outlive a reload: counted by users, closed when the last one lets go.
// A new Site takes what it needs before the old one releases, so what both use is never closed in between.

/** One user's hold on a shared thing. */
export interface Lease<T> {
  readonly value: T;
  /** Lets go. The thing is closed when nobody holds it any more. A second call does nothing. */
  release(): void;
}

interface Shared {
  value: unknown;
  users: number;
  close: () => void;
}

/** Holds shared things by key: listeners, connection pools, peer health, caches. */
export class SharedPool {
  readonly #entries = new Map<string, Shared>();

  /** Takes the thing under `key`, making it with `create` if nobody holds it yet. */
  take<T extends { close(): void }>(key: string, create: () => T): Lease<T> {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const value = create();
      entry = { value, users: 0, close: () => value.close() };
      this.#entries.set(key, entry);
    }
    entry.users++;
    return this.#lease(key, entry);
  }

  /** The things whose keys begin with `prefix`. */
  values<T>(prefix: string): T[] {
    return [...this.#entries].filter(([key]) => key.startsWith(prefix)).map(([, { value }]) => value as T);
  }

  /** How many distinct things are held. */
  get size(): number {
    return this.#entries.size;
  }

  #lease<T>(key: string, entry: Shared): Lease<T> {
    let held = true;
    return {
      value: entry.value as T,
      release: () => {
        if (!held) return;
        held = false;
        if (--entry.users > 0) return;
        this.#entries.delete(key);
        entry.close();
      },
    };
  }
}
