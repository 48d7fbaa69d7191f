// Reads on at a client whose handshake is under way, for only who reads learns that the other side is gone. What it
// sends meanwhile is kept for the tunnel.

import type { Duplex } from 'node:stream';

/** A client that has sent this much before it was answered is not read any further until it is. */
const maxKeptBytes = 64 * 1024;

/** Watches one client until it is released. */
export class ClientWatch {
  readonly #client: Duplex;
  readonly #kept: Buffer[];
  #bytes: number;

  /** Begins to read. @param early what the client has sent already */
  constructor(client: Duplex, early: Buffer) {
    this.#client = client;
    this.#kept = early.length === 0 ? [] : [early];
    this.#bytes = early.length;
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.resume();
  }

  /** Reads no more. What was kept will be read next, by whoever has the client now. */
  release(): void {
    this.#client.off('data', this.#onData);
    this.#client.off('end', this.#onEnd);
    this.#client.pause();
    if (this.#bytes > 0) this.#client.unshift(Buffer.concat(this.#kept.splice(0)));
    this.#bytes = 0;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#kept.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > maxKeptBytes) this.#client.pause();
  };

  /** One that ends here will not use the tunnel: as with every request, what is done for it is given up. */
  readonly #onEnd = (): void => {
    this.#client.destroy();
  };
}
