// The body of a web Response as a BodySource: one chunk is asked of its stream when the connection wants one.

import type { BodySource, OnChunk } from '../message/body.ts';
import { toError } from './report.ts';

/** What one read of a web stream gives. */
export type ReadResult = Awaited<ReturnType<ReadableStreamDefaultReader<unknown>['read']>>;

/**
 * Reads in a row before the event loop has its turn. A stream that always has a chunk at hand would otherwise never
 * give it one: no other request would be served, and nobody would learn that the client is gone.
 */
const readsInARow = 16;

/** Reads a stream as a reply's body. A chunk that is no Uint8Array, or a length other than declared, is a failure. */
export class ResponseBody implements BodySource {
  readonly length: number | null;
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  /** Reads begun before anybody asked, first one first. */
  readonly #begun: Promise<ReadResult>[];
  #bytes = 0;
  #reads = 0;
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
    if (++this.#reads % readsInARow === 0) setImmediate(() => this.#read(onChunk));
    else this.#read(onChunk);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    // Nobody asks for them any more, but they may still fail.
    for (const read of this.#begun) read.catch(() => {});
    cancelQuietly(this.#reader);
  }

  #read(onChunk: OnChunk): void {
    if (this.#cancelled) return;
    const result = this.#begun.shift() ?? beginRead(this.#reader);
    result.then(
      (read) => {
        if (!this.#cancelled) this.#take(read, onChunk);
      },
      (error: unknown) => {
        if (!this.#cancelled) onChunk(toError(error), null);
      },
    );
  }

  #take(read: ReadResult, onChunk: OnChunk): void {
    const failure = this.#account(read);
    if (failure !== null) this.cancel();
    if (failure !== null) onChunk(failure, null);
    else onChunk(null, read.done ? null : (read.value as Uint8Array));
  }

  /** Counts what was read. Returns what is wrong with it, or null. */
  #account(read: ReadResult | undefined): Error | null {
    if (typeof read !== 'object') return new TypeError('the reader of the response body gave no result');
    const { done, value } = read;
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

/** Begins a read of a reader that may not be the platform's: what it throws becomes a rejection. */
export function beginRead(reader: ReadableStreamDefaultReader<unknown>): Promise<ReadResult> {
  try {
    return Promise.resolve(reader.read());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Lets go of a stream or its reader. Nobody is left who could use what goes wrong with that. */
export function cancelQuietly(stream: { cancel(): Promise<void> }): void {
  try {
    Promise.resolve(stream.cancel()).catch(() => {});
  } catch {
    // As said.
  }
}

/** A body that is not given, only its length, or null when that was not told: what HEAD and 304 are answered with. */
export class DeclaredBody implements BodySource {
  readonly length: number | null;

  constructor(length: number | null) {
    this.length = length;
  }

  read(onChunk: OnChunk): void {
    onChunk(new Error('a body was declared but not given'), null);
  }

  cancel(): void {}
}
