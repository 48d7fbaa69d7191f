// Where a route keeps bodies that it buffers: how much of each stays in memory, and how many bytes all files together
// may have. What does not fit is refused, so that buffering can neither fill a disk nor the memory.

import { tmpdir } from 'node:os';
import { HttpError } from '../../message/http-error.ts';
import type { BufferSettings } from './buffer-settings.ts';
import { TemporaryFile } from './temporary-file.ts';

/** What buffered bodies of one route, in one process, share. */
export class BodyStore {
  /** Most bytes of one body in memory. */
  readonly memoryBytes: number;
  readonly #maxFileBytes: number;
  readonly #folder: string;
  #fileBytes = 0;

  constructor({ memory, disk, folder }: BufferSettings) {
    this.memoryBytes = memory;
    this.#maxFileBytes = disk;
    this.#folder = folder ?? tmpdir();
  }

  /** Bytes in files now. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Takes room for bytes in a file; false when there is none. */
  reserve(bytes: number): boolean {
    if (this.#fileBytes + bytes > this.#maxFileBytes) return false;
    this.#fileBytes += bytes;
    return true;
  }

  /** Gives room back. */
  free(bytes: number): void {
    this.#fileBytes -= bytes;
  }

  /** Makes a file; null when it cannot be had. The caller closes it. */
  openFile(onFile: (error: HttpError | null, file: TemporaryFile) => void): void {
    const file = new TemporaryFile();
    file.open(this.#folder, (error) => onFile(error === null ? null : describeFailure(error), file));
  }

  /** The error for a body that finds no room. */
  describeLack(): HttpError {
    const detail = `buffered bodies have ${this.#fileBytes} of at most ${this.#maxFileBytes} bytes in files already`;
    return new HttpError('TSS_BUFFER_FULL', detail);
  }
}

/** The error for a file that cannot be made, written or read: a full disk, as a rule. */
export function describeFailure(error: Error): HttpError {
  return new HttpError('TSS_BUFFER_FILE', `a buffered body: ${error.message}`, [], { cause: error });
}
