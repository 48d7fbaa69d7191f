// A request's body that was read to its end: in memory, or in a file when it is larger. It can be sent as often as it
// is needed, always the same bytes; its file is closed when nobody needs it any more.

import type { BodySource, OnChunk, RequestBody } from '../../message/body.ts';
import { type BodyStore, describeFailure } from './body-store.ts';
import type { TemporaryFile } from './temporary-file.ts';

/** Bytes that are read from a file at a time. */
const pieceBytes = 64 * 1024;

const firstCapacity = 4096;

/** A whole body. Whoever has it made holds it once. */
export class StoredBody {
  readonly length: number;
  /** Null when they are in the file. */
  readonly bytes: Uint8Array | null;
  readonly file: TemporaryFile | null;
  readonly #store: BodyStore;
  #holders = 1;

  constructor(length: number, bytes: Uint8Array | null, file: TemporaryFile | null, store: BodyStore) {
    this.length = length;
    this.bytes = bytes;
    this.file = file;
    this.#store = store;
  }

  /** The bytes, from the first to the last. The source holds the body until it was read to its end or cancelled. */
  createSource(): BodySource {
    return new StoredSource(this);
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders > 0 || this.file === null) return;
    this.file.close();
    this.#store.free(this.length);
  }
}

class StoredSource implements BodySource {
  readonly length: number;
  readonly #body: StoredBody;
  #isHolding = true;
  #position = 0;
  /** A read that was cancelled answers nobody. */
  #round = 0;

  constructor(body: StoredBody) {
    this.length = body.length;
    this.#body = body;
    body.hold();
  }

  read(onChunk: OnChunk): void {
    const { bytes, file } = this.#body;
    if (this.#position === this.length) onChunk(null, null);
    else if (bytes !== null) this.#give(bytes, onChunk);
    else if (file !== null) {
      const round = this.#round;
      file.read(this.#position, Math.min(pieceBytes, this.length - this.#position), (error, chunk) => {
        if (round !== this.#round) return;
        if (error === null) this.#give(chunk, onChunk);
        else onChunk(describeFailure(error), null);
      });
    }
  }

  rewind(): void {
    this.#round++;
    this.#position = 0;
    if (!this.#isHolding) this.#body.hold();
    this.#isHolding = true;
  }

  cancel(): void {
    this.#round++;
    this.#letGo();
  }

  #give(chunk: Uint8Array, onChunk: OnChunk): void {
    this.#position += chunk.length;
    // The sender knows the length: it does not ask for the end.
    if (this.#position === this.length) this.#letGo();
    onChunk(null, chunk);
  }

  #letGo(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#body.release();
  }
}

/** Told once: a whole body, or why there is none. */
export type OnStored = (error: Error | null, body: StoredBody | null) => void;

/** Reads a request's body to its end and keeps it. Returns what gives that up: then nobody is told. */
export function storeBody(body: RequestBody, store: BodyStore, onStored: OnStored): () => void {
  const reader = new StoreReader(body, store, onStored);
  reader.pump();
  return () => reader.giveUp();
}

class StoreReader {
  readonly #body: RequestBody;
  readonly #store: BodyStore;
  readonly #onStored: OnStored;
  /** One buffer that grows: a client that sends byte by byte must not cost an object for each. */
  #memory = new Uint8Array(0);
  /** Bytes so far, in memory or in the file. */
  #length = 0;
  #file: TemporaryFile | null = null;
  #state: 'ready' | 'busy' | 'over' = 'ready';
  #isPumping = false;

  constructor(body: RequestBody, store: BodyStore, onStored: OnStored) {
    this.#body = body;
    this.#store = store;
    this.#onStored = onStored;
  }

  /** A loop, since a body may answer before `read` returns. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#state === 'ready') {
      this.#state = 'busy';
      this.#body.read(this.#onChunk);
    }
    this.#isPumping = false;
  }

  giveUp(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#closeFile();
    this.#body.cancel();
  }

  readonly #onChunk: OnChunk = (error, chunk) => {
    if (this.#state === 'over') return;
    if (error !== null) this.#fail(error);
    else if (chunk === null) {
      this.#state = 'over';
      const bytes = this.#file === null ? this.#memory.subarray(0, this.#length) : null;
      this.#onStored(null, new StoredBody(this.#length, bytes, this.#file, this.#store));
    } else this.#take(chunk);
  };

  #take(chunk: Uint8Array): void {
    if (this.#file !== null) this.#write(this.#file, chunk);
    else if (this.#length + chunk.length <= this.#store.memoryBytes) {
      this.#addToMemory(chunk);
      this.#goOn();
    } else this.#spill(chunk);
  }

  #addToMemory(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#memory.length) {
      const grown = new Uint8Array(Math.max(needed, this.#memory.length * 2, firstCapacity));
      grown.set(this.#memory.subarray(0, this.#length));
      this.#memory = grown;
    }
    this.#memory.set(chunk, this.#length);
    this.#length = needed;
  }

  /** Moves what is in memory, and one more chunk, to a file. */
  #spill(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#memory.subarray(0, this.#length), chunk]);
    this.#memory = new Uint8Array(0);
    this.#length = 0;
    this.#store.openFile((error, file) => {
      if (this.#state === 'over') file.close();
      else {
        this.#file = file;
        if (error !== null) this.#fail(error);
        else this.#write(file, all);
      }
    });
  }

  #write(file: TemporaryFile, chunk: Uint8Array): void {
    if (!this.#store.reserve(chunk.length)) {
      this.#fail(this.#store.describeLack());
      return;
    }
    const position = this.#length;
    this.#length += chunk.length;
    file.write(chunk, position, (error) => {
      if (this.#state === 'over') return;
      if (error !== null) this.#fail(describeFailure(error));
      else this.#goOn();
    });
  }

  #goOn(): void {
    this.#state = 'ready';
    this.pump();
  }

  #fail(error: Error): void {
    this.#state = 'over';
    this.#closeFile();
    this.#onStored(error, null);
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    file.close();
    this.#store.free(this.#length);
  }
}
