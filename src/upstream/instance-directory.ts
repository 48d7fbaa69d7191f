// Which instances of which application take requests right now, and which of those that left still have some. Filled
// by the process that hears it from the supervisor; upstreams follow it.

import type { ClientAddress } from '../message/upstream-connection.ts';

/** One instance of an application: where it listens. The id is never used twice, not by one that replaces another. */
export type InstanceAddress = { readonly id: string } & ClientAddress;

/** Whatever counts the requests that an instance has. */
export interface InstanceLoad {
  readonly inFlight: number;
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
  /** By instance: who counts its requests. One per upstream that has used it and is still there. */
  readonly #loads = new Map<string, Set<InstanceLoad>>();
  /** Instances that take no requests any more, until they have none. */
  readonly #left = new Set<string>();

  /** Replaces an entry and tells its followers. */
  set(upstream: string, state: InstanceState, instances: readonly InstanceAddress[]): void {
    for (const { id } of this.get(upstream).instances) {
      if (!instances.some((instance) => instance.id === id)) this.#left.add(id);
    }
    this.#entries.set(upstream, { state, instances });
    for (const id of this.#left) this.isQuiet(id);
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

  /** Has the requests of an instance counted by `load` too. */
  addLoad(id: string, load: InstanceLoad): void {
    const loads = this.#loads.get(id) ?? new Set();
    this.#loads.set(id, loads);
    loads.add(load);
  }

  /** Whether no request is under way at an instance that takes none any more. Once it is so, it is forgotten. */
  isQuiet(id: string): boolean {
    for (const load of this.#loads.get(id) ?? []) if (load.inFlight > 0) return false;
    this.#loads.delete(id);
    this.#left.delete(id);
    return true;
  }
}
