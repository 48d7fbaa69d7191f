// A file that nobody else can see: private, and without a name from the moment that it is there. It is gone when it is
// closed, or when the process is.

import { randomBytes } from 'node:crypto';
import { close, open, read, unlink, write } from 'node:fs';
import { join } from 'node:path';

/** Called once: null, or what the system said. */
export type OnDone = (error: Error | null) => void;

/** One file. Its operations may overlap; it is closed when the last of them is over. */
export class TemporaryFile {
  #descriptor = -1;
  #running = 0;
  #closed = false;

  /** Makes the file in a folder. Close it also when that fails. */
  open(folder: string, onDone: OnDone): void {
    const path = join(folder, `tsserve-${randomBytes(12).toString('hex')}`);
    this.#running++;
    open(path, 'wx+', 0o600, (error, descriptor) => {
      if (error !== null) {
        this.#end(() => onDone(error));
        return;
      }
      this.#descriptor = descriptor;
      unlink(path, (failure) => this.#end(() => onDone(failure)));
    });
  }

  /** Writes all of a chunk at a position. */
  write(chunk: Uint8Array, position: number, onDone: OnDone): void {
    this.#running++;
    const writeOn = (offset: number): void => {
      write(this.#descriptor, chunk, offset, chunk.length - offset, position + offset, (error, written) => {
        if (error === null && offset + written < chunk.length) writeOn(offset + written);
        else this.#end(() => onDone(error));
      });
    };
    writeOn(0);
  }

  /** Reads so many bytes, or fewer, from a position where there are some. */
  read(position: number, bytes: number, onChunk: (error: Error | null, chunk: Uint8Array) => void): void {
    this.#running++;
    const chunk = Buffer.allocUnsafeSlow(bytes);
    read(this.#descriptor, chunk, 0, bytes, position, (error, count) => {
      const failure = error ?? (count === 0 ? new Error('a temporary file has lost its end') : null);
      this.#end(() => onChunk(failure, chunk.subarray(0, count ?? 0)));
    });
  }

  /** Lets go of the file, after what runs. A second call does nothing. */
  close(): void {
    this.#closed = true;
    if (this.#running > 0 || this.#descriptor === -1) return;
    close(this.#descriptor, () => {});
    this.#descriptor = -1;
  }

  /** A descriptor that was closed under an operation could be another file by then. */
  #end(tell: () => void): void {
    tell();
    this.#running--;
    if (this.#closed) this.close();
  }
}
