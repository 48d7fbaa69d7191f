// A response's body that is taken from the upstream as fast as it comes, whatever the client's pace: what the client is
// behind waits in memory and, beyond a size, in a file. Without room it falls back to the client's pace.

import type { BodySource, OnChunk } from '../../message/body.ts';
import { type BodyStore, describeFailure } from './body-store.ts';
import type { TemporaryFile } from './temporary-file.ts';

/** Bytes that are read from a file at a time. */
const pieceBytes = 64 * 1024;

/** In order: chunks in memory, bytes in the file, one chunk that is being written to it or found no room. */
export class BufferedSource implements BodySource {
  readonly length: number | null;
  readonly #source: BodySource;
  readonly #store: BodyStore;
  #reader: OnChunk | null = null;
  #chunks: Uint8Array[] = [];
  #memoryBytes = 0;
  #file: TemporaryFile | null = null;
  #readAt = 0;
  #writtenTo = 0;
  /** Bytes of the file that the store counts. */
  #reserved = 0;
  #held: Uint8Array | null = null;
  #isWriting = false;
  #isReading = false;
  #isAsking = false;
  #isPumping = false;
  /** A file that failed once is not written to again. */
  #hasFailed = false;
  /** The source has come to its end, well or with an error. */
  #ended = false;
  #error: Error | null = null;
  #cancelled = false;

  constructor(source: BodySource, store: BodyStore) {
    this.length = source.length;
    this.#source = source;
    this.#store = store;
    this.#pump();
  }

  read(onChunk: OnChunk): void {
    this.#reader = onChunk;
    this.#serve();
    this.#pump();
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reader = null;
    this.#chunks = [];
    this.#held = null;
    this.#closeFile();
    this.#source.cancel();
  }

  /** Asks for the next chunk while there is room for it. A loop, since the source may answer at once. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isAsking && !this.#ended && !this.#cancelled && this.#held === null) {
      this.#isAsking = true;
      this.#source.read(this.#onChunk);
    }
    this.#isPumping = false;
  }

  readonly #onChunk: OnChunk = (error, chunk) => {
    this.#isAsking = false;
    if (this.#cancelled) return;
    if (error !== null || chunk === null) {
      this.#ended = true;
      this.#error = error;
    } else this.#take(chunk);
    this.#serve();
    this.#pump();
  };

  #take(chunk: Uint8Array): void {
    const isFileEmpty = this.#readAt === this.#writtenTo;
    const fits = this.#memoryBytes + chunk.length <= this.#store.memoryBytes;
    if (isFileEmpty && !this.#isReading && (fits || this.#isAwaited())) {
      this.#chunks.push(chunk);
      this.#memoryBytes += chunk.length;
      return;
    }
    this.#held = chunk;
    if (!this.#hasFailed && this.#store.reserve(chunk.length)) {
      this.#reserved += chunk.length;
      this.#isWriting = true;
      if (this.#file === null) this.#openFile(chunk);
      else this.#write(this.#file, chunk);
    }
  }

  /** Whether a chunk would be given to the reader at once. */
  #isAwaited(): boolean {
    return this.#reader !== null && this.#chunks.length === 0;
  }

  #openFile(chunk: Uint8Array): void {
    this.#store.openFile((error, file) => {
      if (this.#cancelled) file.close();
      else {
        this.#file = file;
        if (error !== null) this.#onWritten(error, 0);
        else this.#write(file, chunk);
      }
    });
  }

  #write(file: TemporaryFile, chunk: Uint8Array): void {
    file.write(chunk, this.#writtenTo, (error) => this.#onWritten(error, chunk.length));
  }

  /** What could not be written stays where it is, and is given to the client from there. */
  #onWritten(error: Error | null, bytes: number): void {
    if (this.#cancelled) return;
    this.#isWriting = false;
    if (error !== null) this.#hasFailed = true;
    else {
      this.#writtenTo += bytes;
      if (this.#held !== null) this.#source.recycle?.(this.#held);
      this.#held = null;
    }
    this.#serve();
    this.#pump();
  }

  /** Gives the reader what is next, if it is there. */
  #serve(): void {
    if (this.#reader === null || this.#isReading) return;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#memoryBytes -= chunk.length;
      this.#give(null, chunk);
    } else if (this.#readAt < this.#writtenTo) this.#readFile();
    else if (this.#held !== null) {
      if (!this.#isWriting) this.#giveHeld(this.#held);
    } else if (this.#ended) {
      this.#closeFile();
      this.#give(this.#error, null);
    }
  }

  #giveHeld(chunk: Uint8Array): void {
    this.#held = null;
    this.#give(null, chunk);
  }

  #readFile(): void {
    const file = this.#file as TemporaryFile;
    this.#isReading = true;
    const bytes = Math.min(pieceBytes, this.#writtenTo - this.#readAt);
    file.read(this.#readAt, bytes, (error, chunk) => {
      this.#isReading = false;
      if (this.#cancelled) return;
      if (error !== null) {
        this.#give(describeFailure(error), null);
        return;
      }
      this.#readAt += chunk.length;
      // All was read: the next bytes go to the front of the file again.
      if (this.#readAt === this.#writtenTo && !this.#isWriting) this.#startOver();
      this.#give(null, chunk);
      this.#serve();
      this.#pump();
    });
  }

  #startOver(): void {
    this.#readAt = 0;
    this.#writtenTo = 0;
    this.#store.free(this.#reserved);
    this.#reserved = 0;
  }

  #give(error: Error | null, chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = null;
    reader?.(error, chunk);
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = null;
    this.#store.free(this.#reserved);
    this.#reserved = 0;
  }
}
