// A body of unknown length, read to its end so that its length can be told before it.

import type { BodySource, OnChunk, RequestBody } from '../../message/body.ts';

const firstCapacity = 4096;

/** Bytes at hand, to be read once. */
class BytesBody implements BodySource {
  readonly length: number;
  #bytes: Uint8Array | null;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  read(onChunk: OnChunk): void {
    const bytes = this.#bytes;
    this.#bytes = null;
    onChunk(null, bytes);
  }

  cancel(): void {
    this.#bytes = null;
  }
}

/** Told once how reading a whole body ended: with the body, null when it is empty, or with an error. */
export type OnWholeBody = (error: Error | null, whole: BodySource | null) => void;

/** Reads a body to its end. What it fails with beyond `maxBytes` is a 413 HttpError. */
export function readWholeBody(body: RequestBody, maxBytes: number, onWhole: OnWholeBody): void {
  body.limit = Math.min(body.limit, maxBytes);
  new WholeBodyReader(body, onWhole).pump();
}

class WholeBodyReader {
  readonly #body: RequestBody;
  readonly #onWhole: OnWholeBody;
  /** One buffer that grows: a client that sends byte by byte must not cost an object for each. */
  #bytes = new Uint8Array(0);
  #length = 0;
  #isOpen = false;
  #isPumping = false;

  constructor(body: RequestBody, onWhole: OnWholeBody) {
    this.#body = body;
    this.#onWhole = onWhole;
  }

  /** A loop, since a body may answer before `read` returns. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isOpen) {
      this.#isOpen = true;
      this.#body.read(this.#onChunk);
    }
    this.#isPumping = false;
  }

  /** After the end the read stays open for ever, so that none follows it. */
  readonly #onChunk: OnChunk = (error, chunk) => {
    if (error !== null) this.#onWhole(error, null);
    else if (chunk === null) {
      this.#onWhole(null, this.#length === 0 ? null : new BytesBody(this.#bytes.subarray(0, this.#length)));
    } else {
      this.#take(chunk);
      this.#isOpen = false;
      this.pump();
    }
  };

  #take(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, firstCapacity));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }
}
