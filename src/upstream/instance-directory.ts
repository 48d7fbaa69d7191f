// Which instances of which application take requests right now. Filled by the process that hears it from the
// supervisor; upstreams follow it.

/** One instance of an application. */
export interface InstanceAddress {
  /** Never used twice: an instance that replaces another has another id. */
  readonly id: string;
  /** Its unix socket. */
  readonly path: string;
}

/** What an application as a whole is doing. `failed`: it crashes again and again, and nothing will come soon. */
export type InstanceState = 'starting' | 'running' | 'failed';

/** An application's entry. */
export interface InstanceEntry {
  readonly state: InstanceState;
  readonly instances: readonly InstanceAddress[];
}

const unknownEntry: InstanceEntry = { state: 'starting', instances: [] };

/** The instances of every application, by upstream name. */
export class InstanceDirectory {
  readonly #entries = new Map<string, InstanceEntry>();
  readonly #followers = new Map<string, Set<() => void>>();

  /** Replaces an entry and tells its followers. */
  set(upstream: string, state: InstanceState, instances: readonly InstanceAddress[]): void {
    this.#entries.set(upstream, { state, instances });
    for (const onChange of [...(this.#followers.get(upstream) ?? [])]) onChange();
  }

  /** An application that nothing was said of is starting. */
  get(upstream: string): InstanceEntry {
    return this.#entries.get(upstream) ?? unknownEntry;
  }

  /** Calls back after each change of an entry. Returns what ends that. */
  subscribe(upstream: string, onChange: () => void): () => void {
    const followers = this.#followers.get(upstream) ?? new Set();
    this.#followers.set(upstream, followers);
    followers.add(onChange);
    return () => {
      followers.delete(onChange);
      if (followers.size === 0 && this.#followers.get(upstream) === followers) {
        this.#followers.delete(upstream);
      }
    };
  }
}
