// Bytes of a body that nobody asked for yet. Many small pieces become few: each by itself would cost ten times what it
// holds.

/** Smaller pieces are joined in blocks of this size. */
const blockBytes = 8 * 1024;

/** A queue of bytes. */
export class WaitingBytes {
  readonly #pieces: Buffer[] = [];
  /** The block that is being filled, behind the pieces. */
  #block: Buffer | null = null;
  #used = 0;

  get isEmpty(): boolean {
    return this.#block === null && this.#pieces.length === 0;
  }

  /** Takes a copy. */
  push(bytes: Buffer): void {
    if (this.#block !== null && bytes.length > blockBytes - this.#used) this.#endBlock(this.#block);
    if (bytes.length >= blockBytes) {
      this.#pieces.push(Buffer.from(bytes));
      return;
    }
    this.#block ??= Buffer.allocUnsafeSlow(blockBytes);
    this.#block.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Gives what came first, as much as is at hand in one piece; undefined when there is nothing. */
  shift(): Buffer | undefined {
    if (this.#pieces.length === 0 && this.#block !== null) this.#endBlock(this.#block);
    return this.#pieces.shift();
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#block = null;
    this.#used = 0;
  }

  #endBlock(block: Buffer): void {
    this.#pieces.push(block.subarray(0, this.#used));
    this.#block = null;
    this.#used = 0;
  }
}
