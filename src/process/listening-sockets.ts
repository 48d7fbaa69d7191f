// The sockets that the master holds: what a config wants is bound as a whole or not at all.

import type { SiteSettings } from '../server/site-settings.ts';
import { type BindAddress, type BoundSocket, bindSockets, closeSocket } from './bind-socket.ts';

/** All bound sockets of a site. */
export class ListeningSockets {
  readonly #sockets = new Set<BoundSocket>();

  /** Those in use. */
  list(): BoundSocket[] {
    return [...this.#sockets];
  }

  /** Binds what `addresses` hold beyond the present. Rejects with a ListenError; then nothing was bound. */
  async open(addresses: readonly BindAddress[]): Promise<BoundSocket[]> {
    const present = new Set(this.list().map(({ address }) => address.key));
    const opened: BoundSocket[] = [];
    try {
      for (const address of addresses) {
        if (!present.has(address.key)) opened.push(...(await bindSockets(address)));
      }
    } catch (error) {
      for (const socket of opened) closeSocket(socket);
      throw error;
    }
    for (const socket of opened) this.#sockets.add(socket);
    return opened;
  }

  /** Those that `addresses` no longer hold. */
  findSurplus(addresses: readonly BindAddress[]): BoundSocket[] {
    const wanted = new Set(addresses.map(({ key }) => key));
    return this.list().filter(({ address }) => !wanted.has(address.key));
  }

  /** Closes some. */
  close(sockets: readonly BoundSocket[]): void {
    for (const socket of sockets) {
      this.#sockets.delete(socket);
      closeSocket(socket);
    }
  }
}

/** Every address that a site listens on, each once. */
export function listAddresses(settings: SiteSettings): BindAddress[] {
  const addresses = settings.servers.flatMap((server) => server.listen);
  return [...new Map(addresses.map((address) => [address.key, address])).values()];
}
