// The servers of an upstream as addresses that requests can go to: those that are written as addresses, and all that
// the names of the others stand for right now.

import { isIP } from 'node:net';
import type { Lease } from '../base/shared-pool.ts';
import { createLookUp, type NamedAddress, type NameQuestion } from './look-up-name.ts';
import type { PeerAddress } from './peer.ts';
import { type NameDeps, ResolvedName } from './resolved-name.ts';
import type { ServersSettings } from './upstream-shape.ts';

/** One server of a config. */
export type ServerSettings = ServersSettings['servers'][number];

/** One address of one server. */
export interface ServerEntry {
  /** Stays the same while address, weight and rank do. */
  readonly key: string;
  readonly address: PeerAddress;
  /** The host of its URL, by which its certificate is known; null for a socket. */
  readonly hostName: string | null;
  readonly weight: number;
  readonly backup: boolean;
  readonly server: ServerSettings;
}

/** What holds names across upstreams. */
export interface AddressDeps extends NameDeps {
  readonly shared: { take<T extends { close(): void }>(key: string, create: () => T): Lease<T> };
}

/** All servers of one upstream. */
export class ServerAddresses {
  readonly #servers: readonly { settings: ServerSettings; name: ResolvedName | null }[];
  readonly #closers: (() => void)[] = [];

  /** `onChange` is called when names stand for other addresses, and when one was looked up in vain at first. */
  constructor({ servers, resolve }: ServersSettings, deps: AddressDeps, onChange: () => void) {
    this.#servers = servers.map((settings) => {
      const { url, service = null } = settings;
      if ('path' in url || isIP(url.host) !== 0) return { settings, name: null };
      return { settings, name: this.#follow({ host: url.host, service, resolve }, deps, onChange) };
    });
  }

  /** Whether names have not been looked up for the first time yet. */
  get isPending(): boolean {
    return this.#servers.some(({ name }) => name?.isPending === true);
  }

  /** Why names stand for nothing, or null when none has failed. */
  get problem(): string | null {
    const problems = this.#servers.map(({ name }) => name?.problem ?? null).filter((each) => each !== null);
    return problems.length === 0 ? null : [...new Set(problems)].join(', ');
  }

  /** The addresses as they are now. */
  list(): ServerEntry[] {
    return this.#servers.flatMap(({ settings, name }, i) => {
      const { url, weight, backup } = settings;
      if (name === null) {
        const hostName = 'host' in url ? url.host : null;
        return [{ key: String(i), address: url, hostName, weight, backup, server: settings }];
      }
      return listNamed(name.addresses, settings, i);
    });
  }

  /** Lets go of the names. */
  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  #follow(question: NameQuestion, deps: AddressDeps, onChange: () => void): ResolvedName {
    const { host, service } = question;
    const shown = service === null ? host : `${host} (${service})`;
    const lease = deps.shared.take(
      `name:${JSON.stringify(question)}`,
      () => new ResolvedName(shown, createLookUp(question), deps),
    );
    this.#closers.push(lease.value.subscribe(onChange), () => lease.release());
    return lease.value;
  }
}

/** As in nginx: if the server is a backup itself, of SRV records only those that come first count. */
function listNamed(addresses: readonly NamedAddress[], server: ServerSettings, index: number): ServerEntry[] {
  const { url, weight, backup } = server;
  if ('path' in url) return [];
  const { host: hostName, port, protocol } = url;
  return addresses
    .filter((each) => !(backup && each.backup))
    .map((each) => {
      const address = { host: each.host, port: each.port ?? port, ...(protocol && { protocol }) };
      const entry = { address, weight: weight * each.weight, backup: backup || each.backup };
      const key = `${index} ${each.host} ${address.port} ${entry.weight} ${entry.backup}`;
      return { ...entry, key, hostName, server };
    });
}
