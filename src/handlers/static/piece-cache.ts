// Keeps the pieces of large files that are asked for again and again, and has a piece that several readers want at the
// same time read once for all of them. What a key stands for, and reading itself, is left to the caller.

import { monotonicMs } from '../../base/clock.ts';
import { LruCache } from '../../base/lru-cache.ts';

/**
 * Length of a piece in bytes; the last one of a file is shorter. Measured: in pieces of 512 KiB a transfer costs a tenth
 * less CPU time than in pieces of 256, and as much as in larger ones.
 */
export const pieceBytes = 512 * 1024;

/** Takes the bytes of a piece, or null when it could not be read as the version that it should be of. */
export type OnPiece = (bytes: Buffer | null) => void;

interface KeptPiece {
  readonly bytes: Buffer;
  usedAtMs: number;
}

// A piece is kept when it is asked for twice within this time, and for as long as it is used this often no other takes
// its place: neither a scan of many files nor one file larger than the cache can wash out what is hot.
const hotForMs = 10_000;
// What an entry weighs besides its bytes or time: key, node, Map slot.
const entryBytes = 512;
const askedBytes = 1024 * 1024;

/** Pieces by key, at most `maxBytes` of them. */
export class PieceCache {
  readonly #maxBytes: number;
  readonly #kept: LruCache<KeptPiece>;
  /** When a piece that is not kept was last asked for, in monotonic ms. */
  readonly #asked = new LruCache<number>(askedBytes);
  readonly #underWay = new Map<string, OnPiece[]>();

  /** @param maxBytes most bytes kept at any time */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#kept = new LruCache(maxBytes);
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  /** Whether a piece can be kept at all. */
  get hasRoom(): boolean {
    return this.#maxBytes >= pieceBytes + entryBytes;
  }

  /** The bytes of a piece, which nobody may change, or null. */
  find(key: string): Buffer | null {
    const piece = this.#kept.get(key);
    if (piece === undefined) return null;
    piece.usedAtMs = monotonicMs();
    return piece.bytes;
  }

  /** Whether a piece is being read, or was asked for lately. Counts as asking for it. */
  isAskedAgain(key: string): boolean {
    if (this.#underWay.has(key)) return true;
    const nowMs = monotonicMs();
    const askedAtMs = this.#asked.get(key);
    this.#asked.set(key, nowMs, entryBytes);
    return askedAtMs !== undefined && nowMs - askedAtMs < hotForMs;
  }

  /** Has a piece read, or waits for a read of it that is under way. All who wait get the same bytes. */
  share(key: string, read: (onPiece: OnPiece) => void, onPiece: OnPiece): void {
    const waiting = this.#underWay.get(key);
    if (waiting !== undefined) {
      waiting.push(onPiece);
      return;
    }
    const all = [onPiece];
    this.#underWay.set(key, all);
    read((bytes) => {
      this.#underWay.delete(key);
      if (bytes !== null) this.#keep(key, bytes);
      for (const each of all) each(bytes);
    });
  }

  /** Forgets what is kept. It can be filled again. */
  close(): void {
    this.#kept.close();
    this.#asked.close();
  }

  #keep(key: string, bytes: Buffer): void {
    const weight = bytes.length + entryBytes;
    if (!this.#makeRoom(weight)) return;
    this.#asked.delete(key);
    this.#kept.set(key, { bytes, usedAtMs: monotonicMs() }, weight);
  }

  /** False when what is there is hot. */
  #makeRoom(weight: number): boolean {
    if (weight > this.#maxBytes) return false;
    while (this.#kept.bytes + weight > this.#maxBytes) {
      const { oldest } = this.#kept;
      if (oldest === null || monotonicMs() - oldest.value.usedAtMs < hotForMs) return false;
      this.#kept.delete(oldest.key);
    }
    return true;
  }
}
