// Streams part of an open file at the pace of whoever pulls: from pieces in memory where there are any, else one read
// at a time. The descriptor is closed exactly once: after the last byte, on an error, or when the reader loses interest.

import { close, closeSync } from 'node:fs';
import { monotonicMs } from '../../base/clock.ts';
import type { BodySource, OnChunk } from '../../message/body.ts';
import { HttpError } from '../../message/http-error.ts';
import { type OnPiece, type PieceCache, pieceBytes } from './piece-cache.ts';
import { readBufferBytes, returnReadBuffer, takeReadBuffer } from './read-buffers.ts';
import { type OnVersionRead, readVersion } from './read-version.ts';
import type { OpenedFile } from './static-root.ts';

/** An open file, and where its bytes may be had and left for others. */
export interface LargeFile {
  readonly opened: OpenedFile;
  /** What the log calls the file. */
  readonly path: string;
  /** Tells this version of this file from all others; null when its bytes must not be shared. */
  readonly versionKey: string | null;
  readonly pieces: PieceCache;
}

// Whoever is slow gets little at a time: what it has not taken yet sits in our memory, and must be taken within one
// send timeout. Whoever is quick gets as much as spares us calls.
const slowChunkBytes = 128 * 1024;
const quickMs = 50;
// Closing what was deleted meanwhile frees its space, which takes long for a large file.
const closedAtOnceMs = 200;

/**
 * `length` bytes of a file from `position` on. Owns the descriptor; with `leavesOpen` no longer once all of them were
 * given. Chunks may be shared with others.
 */
export class FileSource implements BodySource {
  readonly length: number;
  readonly #file: LargeFile;
  readonly #leavesOpen: boolean;
  #position: number;
  #remaining: number;
  /** The piece in memory that holds the next byte, or null. */
  #piece: Buffer | null = null;
  /** The piece that was last looked for. */
  #pieceIndex = -1;
  /** The buffer to be given back when the chunk in it is done with, or null. */
  #lent: Buffer | null = null;
  #deliveredAtMs = Number.NEGATIVE_INFINITY;
  #onChunk: OnChunk | null = null;
  /** A descriptor that the thread pool is reading from must not become another file's. */
  #isReading = false;
  readonly #openedAtMs = monotonicMs();
  #isClosed = false;
  #isCancelled = false;

  constructor(file: LargeFile, position: number, length: number, leavesOpen = false) {
    this.#file = file;
    this.#leavesOpen = leavesOpen;
    this.#position = position;
    this.#remaining = length;
    this.length = length;
  }

  read(onChunk: OnChunk): void {
    if (this.#isCancelled) return;
    if (this.#remaining === 0) {
      onChunk(null, null);
      return;
    }
    if (this.#isClosed) {
      onChunk(new HttpError('TSS_FILE_READ', 'read after an error'), null);
      return;
    }
    this.#onChunk = onChunk;
    const index = Math.floor(this.#position / pieceBytes);
    // Several chunks of one piece are one use of it.
    if (index !== this.#pieceIndex && this.#file.versionKey !== null) {
      this.#pieceIndex = index;
      const key = `${this.#file.versionKey}/${index}`;
      this.#piece = this.#file.pieces.find(key);
      if (this.#piece === null && this.#file.pieces.isAskedAgain(key)) {
        this.#file.pieces.share(key, this.#readPiece, this.#takePiece);
        return;
      }
    }
    if (this.#piece === null) this.#readAlone();
    else this.#deliverFrom(this.#piece);
  }

  recycle(chunk: Uint8Array): void {
    const lent = this.#lent;
    if (lent === null || chunk.buffer !== lent.buffer) return;
    this.#lent = null;
    returnReadBuffer(lent);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#onChunk = null;
    this.#piece = null;
    if (!this.#isReading) this.#close();
  }

  /** Reads the whole piece for all who want it. */
  readonly #readPiece = (onPiece: OnPiece): void => {
    const start = this.#pieceIndex * pieceBytes;
    const length = Math.min(pieceBytes, Number(this.#file.opened.stats.size) - start);
    this.#read(start, Buffer.allocUnsafeSlow(length), length, (problem, bytes, isExact) => {
      onPiece(problem === null && isExact && bytes.length === length ? bytes : null);
    });
  };

  readonly #takePiece: OnPiece = (bytes) => {
    if (this.#isCancelled) return;
    this.#piece = bytes;
    // What is no reason to fail for one who has the file open may be one not to share it.
    if (bytes === null) this.#readAlone();
    else this.#deliverFrom(bytes);
  };

  #readAlone(): void {
    const length = this.#countNext(readBufferBytes);
    const lent = length > slowChunkBytes ? takeReadBuffer() : null;
    this.#lent = lent;
    this.#read(this.#position, lent ?? Buffer.allocUnsafeSlow(length), length, (problem, bytes) => {
      if (this.#onChunk === null || problem !== null) this.recycle(bytes);
      if (this.#onChunk === null) return;
      if (problem === null) {
        this.#deliver(bytes);
      } else {
        this.#close();
        this.#take()(new HttpError('TSS_FILE_READ', `${this.#file.path}: ${problem}`), null);
      }
    });
  }

  #read(position: number, buffer: Buffer, length: number, onVersionRead: OnVersionRead): void {
    this.#isReading = true;
    readVersion(this.#file.opened, position, buffer, length, (problem, bytes, isExact) => {
      this.#isReading = false;
      if (this.#isCancelled) this.#close();
      onVersionRead(problem, bytes, isExact);
    });
  }

  #deliverFrom(piece: Buffer): void {
    const start = this.#position % pieceBytes;
    const count = this.#countNext(pieceBytes);
    this.#deliver(count === piece.length ? piece : piece.subarray(start, start + count));
  }

  #deliver(chunk: Buffer): void {
    if (this.#onChunk === null) return;
    this.#position += chunk.length;
    this.#remaining -= chunk.length;
    if (this.#remaining === 0) {
      this.#piece = null;
      if (!this.#leavesOpen) this.#close();
    }
    this.#deliveredAtMs = monotonicMs();
    this.#take()(null, chunk);
  }

  /** How many bytes come next, at most: never more than what is left of a piece. */
  #countNext(quickBytes: number): number {
    const isQuick = monotonicMs() - this.#deliveredAtMs < quickMs;
    const leftOfPiece = pieceBytes - (this.#position % pieceBytes);
    return Math.min(isQuick ? quickBytes : slowChunkBytes, leftOfPiece, this.#remaining);
  }

  #take(): OnChunk {
    const onChunk = this.#onChunk as OnChunk;
    this.#onChunk = null;
    return onChunk;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { fd } = this.#file.opened;
    if (monotonicMs() - this.#openedAtMs >= closedAtOnceMs) {
      close(fd, () => {});
      return;
    }
    try {
      closeSync(fd);
    } catch {
      // Whatever a file system has to say now: the descriptor is gone, and nothing was written.
    }
  }
}
