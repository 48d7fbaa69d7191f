// Streams part of an open file: one read at a time, each into a fresh buffer, at the pace of whoever pulls.
// The descriptor is closed exactly once: after the last byte, on an error, or when the reader loses interest.

import { close, fstatSync, read } from 'node:fs';
import type { BodySource, OnChunk } from '../../message/body.ts';
import { HttpError } from '../../message/http-error.ts';
import type { OpenedFile } from './static-root.ts';

const chunkBytes = 128 * 1024;

/** `length` bytes of a file from `position` on. Owns the descriptor. */
export class FileSource implements BodySource {
  readonly length: number;
  readonly #file: OpenedFile;
  readonly #path: string;
  #position: number;
  #remaining: number;
  #onChunk: OnChunk | null = null;
  #isClosed = false;
  #isCancelled = false;

  /** @param path what the log calls the file */
  constructor(file: OpenedFile, path: string, position: number, length: number) {
    this.#file = file;
    this.#position = position;
    this.#remaining = length;
    this.length = length;
    this.#path = path;
  }

  read(onChunk: OnChunk): void {
    if (this.#isCancelled) return;
    if (this.#remaining === 0) {
      this.#close();
      onChunk(null, null);
      return;
    }
    if (this.#isClosed) {
      onChunk(new HttpError('TSS_FILE_READ', 'read after an error'), null);
      return;
    }
    this.#onChunk = onChunk;
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, this.#remaining));
    read(this.#file.fd, buffer, 0, buffer.length, this.#position, this.#finishRead);
  }

  cancel(): void {
    this.#isCancelled = true;
    // A descriptor that the thread pool is reading from must not become another file's.
    if (this.#onChunk === null) this.#close();
  }

  readonly #finishRead = (error: Error | null, byteCount: number, buffer: Buffer): void => {
    const onChunk = this.#onChunk as OnChunk;
    this.#onChunk = null;
    if (this.#isCancelled) {
      this.#close();
      return;
    }
    const problem = error !== null ? error.message : this.#findProblem(byteCount);
    if (problem !== null) {
      this.#close();
      onChunk(new HttpError('TSS_FILE_READ', `${this.#path}: ${problem}`), null);
      return;
    }
    this.#position += byteCount;
    this.#remaining -= byteCount;
    if (this.#remaining === 0) this.#close();
    onChunk(null, byteCount === buffer.length ? buffer : buffer.subarray(0, byteCount));
  };

  /** What makes the bytes just read unfit to follow those sent before, or null. */
  #findProblem(byteCount: number): string | null {
    const now = fstatSync(this.#file.fd, { bigint: true });
    const { size, mtimeNs } = this.#file.stats;
    if (byteCount === 0 || now.size < size) return 'the file was truncated while it was sent';
    // A file that grew is taken for one that is appended to: what was there stays as it was.
    if (now.mtimeNs !== mtimeNs && now.size === size) return 'the file was overwritten while it was sent';
    return null;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    close(this.#file.fd);
  }
}
