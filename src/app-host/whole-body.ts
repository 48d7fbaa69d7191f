// Reads a request body to its end without a stream, for the members that want all of it.

import type { BodySource, OnChunk } from '../message/body.ts';

/** One body being read whole. */
export class WholeBody {
  /** All bytes; rejects as the body fails. */
  readonly bytes: Promise<Uint8Array>;
  readonly #source: BodySource;
  readonly #chunks: Uint8Array[] = [];
  #resolve!: (bytes: Uint8Array) => void;
  #reject!: (error: Error) => void;
  #reading = false;
  #readsAgain = false;

  constructor(source: BodySource) {
    this.#source = source;
    this.bytes = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#read();
  }

  /** Gives up, unless all is there. */
  fail(error: Error): void {
    this.#reject(error);
  }

  /** A loop, not a recursion: a source may answer at once, any number of times. */
  #read(): void {
    if (this.#reading) {
      this.#readsAgain = true;
      return;
    }
    this.#reading = true;
    do {
      this.#readsAgain = false;
      this.#source.read(this.#onChunk);
    } while (this.#readsAgain);
    this.#reading = false;
  }

  readonly #onChunk: OnChunk = (error, chunk) => {
    if (error !== null) this.#reject(error);
    else if (chunk === null) this.#resolve(this.#join());
    else {
      this.#chunks.push(chunk);
      this.#read();
    }
  };

  #join(): Uint8Array {
    return this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
  }
}
