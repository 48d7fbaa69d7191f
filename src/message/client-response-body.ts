// The body of a response as a source to be pulled: holds at most one chunk that nobody asked for yet, and has the
// connection stop reading while it does.

import type { BodySource, OnChunk } from './body.ts';

/** What a body needs of the connection that feeds it. */
export interface BodyFeeder {
  /** There is room again. */
  resumeBody(): void;
  /** Nobody will read the rest. */
  dropBody(): void;
}

/** Fed by a connection, read by whoever answers the client. */
export class ClientResponseBody implements BodySource {
  readonly length: number | null;
  #feeder: BodyFeeder | null;
  #reader: OnChunk | null = null;
  #chunk: Uint8Array | null = null;
  #error: Error | null = null;
  #ended = false;

  constructor(length: number | null, feeder: BodyFeeder) {
    this.length = length;
    this.#feeder = feeder;
  }

  read(onChunk: OnChunk): void {
    const chunk = this.#chunk;
    if (chunk !== null) {
      this.#chunk = null;
      this.#feeder?.resumeBody();
      onChunk(null, chunk);
    } else if (this.#error !== null) onChunk(this.#error, null);
    else if (this.#ended) onChunk(null, null);
    else this.#reader = onChunk;
  }

  cancel(): void {
    const feeder = this.#feeder;
    this.#feeder = null;
    this.#reader = null;
    this.#chunk = null;
    this.#ended = true;
    feeder?.dropBody();
  }

  /** Gives a chunk to the reader or keeps it. Returns whether more may follow at once. */
  push(chunk: Uint8Array): boolean {
    const reader = this.#reader;
    if (reader === null) {
      this.#chunk = chunk;
      return false;
    }
    this.#reader = null;
    reader(null, chunk);
    return true;
  }

  /** No chunk will follow: the proper end, or an error. A chunk that was kept is still to be read first. */
  finish(error: Error | null): void {
    this.#feeder = null;
    this.#error = error;
    this.#ended = true;
    const reader = this.#reader;
    this.#reader = null;
    if (reader !== null) reader(error, null);
  }
}

/** The body that a response to HEAD, or a 304, would have had: a length to announce and nothing to read. */
export class AnnouncedBody implements BodySource {
  readonly length: number | null;

  constructor(length: number | null) {
    this.length = length;
  }

  read(onChunk: OnChunk): void {
    onChunk(null, null);
  }

  cancel(): void {}
}
