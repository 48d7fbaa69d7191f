// Copies of what a connection has read, for whoever takes it from there. Large ones use the same memory again and again.

import { BufferPool } from '../base/buffer-pool.ts';

/** As much as one read brings. */
const pool = new BufferPool(128 * 1024, 32);

/** Shorter chunks are cheaper as they are. A slow reader keeps its chunk: it must not hold much more than it is given. */
const minPooledBytes = 32 * 1024;

/** Whether a copy of so much is worth being given back. */
export function isLargeChunk(bytes: number): boolean {
  return bytes >= minPooledBytes && bytes <= pool.bytes;
}

/** A copy of bytes that nobody else knows. */
export function copyChunk(bytes: Uint8Array): Uint8Array {
  return isLargeChunk(bytes.length) ? pool.copy(bytes) : Buffer.from(bytes);
}

/**
 * Gives back the memory of a {@link copyChunk}, or of a part of it. Whoever does so must be the last to know any of it,
 * and do it once. Memory that is not worth it is left alone.
 */
export function giveBackChunk(chunk: Uint8Array): void {
  if (chunk.buffer.byteLength === pool.bytes) pool.giveBack(chunk);
}
