// The body of a web Response as a BodySource: one chunk is asked of its stream when the connection wants one.

import type { BodySource, OnChunk } from '../message/body.ts';

/** What one read of a web stream gives. */
export type ReadResult = Awaited<ReturnType<ReadableStreamDefaultReader<unknown>['read']>>;

/** Reads a stream as a reply's body. A chunk that is no Uint8Array, or a length other than declared, is a failure. */
export class ResponseBody implements BodySource {
  readonly length: number | null;
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  /** Reads begun before anybody asked, first one first. */
  readonly #begun: Promise<ReadResult>[];
  #bytes = 0;
  #cancelled = false;

  /** @param length what the application declared, or null @param begun reads that were already asked of `reader` */
  constructor(
    reader: ReadableStreamDefaultReader<unknown>,
    length: number | null,
    begun: Promise<ReadResult>[] = [],
  ) {
    this.#reader = reader;
    this.length = length;
    this.#begun = begun;
  }

  read(onChunk: OnChunk): void {
    const result = this.#begun.shift() ?? this.#reader.read();
    result.then(
      (read) => {
        if (!this.#cancelled) this.#take(read, onChunk);
      },
      (error: unknown) => {
        if (!this.#cancelled) onChunk(toError(error), null);
      },
    );
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    // Nobody asks for them any more, but they may still fail.
    for (const read of this.#begun) read.catch(() => {});
    this.#reader.cancel().catch(() => {});
  }

  #take(read: ReadResult, onChunk: OnChunk): void {
    const failure = this.#account(read);
    if (failure !== null && !read.done) this.cancel();
    if (failure !== null) onChunk(failure, null);
    else onChunk(null, read.done ? null : (read.value as Uint8Array));
  }

  /** Counts what was read. Returns what is wrong with it, or null. */
  #account({ done, value }: ReadResult): Error | null {
    if (done) {
      if (this.length === null || this.#bytes === this.length) return null;
      return new Error(`the body ended after ${this.#bytes} of ${this.length} declared bytes`);
    }
    if (!(value instanceof Uint8Array)) {
      return new TypeError('a chunk of the response body is not a Uint8Array');
    }
    this.#bytes += value.length;
    if (this.length === null || this.#bytes <= this.length) return null;
    return new Error(`the body is longer than the ${this.length} declared bytes`);
  }
}

/** A body that has a length and no bytes: what a Response to HEAD declares. */
export class DeclaredBody implements BodySource {
  readonly length: number;

  constructor(length: number) {
    this.length = length;
  }

  read(onChunk: OnChunk): void {
    onChunk(new Error(`a body of ${this.length} bytes was declared but not given`), null);
  }

  cancel(): void {}
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`);
}
