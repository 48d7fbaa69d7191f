// Memory for large chunks that are gone again soon: a fresh buffer for each costs more than what is done with it.

/** Buffers of one size, used again and again. What they hold is left over from something else. */
export class BufferPool {
  /** Length of each buffer in bytes. */
  readonly bytes: number;
  readonly #maxFree: number;
  readonly #free: Uint8Array[] = [];

  /** @param maxFree buffers kept for later at most; what is more is left to the garbage collector */
  constructor(bytes: number, maxFree: number) {
    this.bytes = bytes;
    this.#maxFree = maxFree;
  }

  /** A copy of `chunk`, which may be `bytes` long at most, at the front of a buffer that nobody else uses. */
  copy(chunk: Uint8Array): Uint8Array {
    const buffer = this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(this.bytes).buffer);
    buffer.set(chunk);
    return buffer.subarray(0, chunk.length);
  }

  /** Gives back the memory of a copy. Whoever does so must be the last to know it, and do it once. */
  giveBack(chunk: Uint8Array): void {
    if (this.#free.length < this.#maxFree) this.#free.push(new Uint8Array(chunk.buffer));
  }
}
