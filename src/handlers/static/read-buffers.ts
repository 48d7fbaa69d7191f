// Memory for what is read and sent at once, used again and again. Measured: with a fresh buffer for every read, the
// garbage collector took a third of the time that sending a large file takes.

/** Length of each buffer in bytes. */
export const readBufferBytes = 256 * 1024;

// More than are ever in use at the same moment while clients are quick; for the slow ones memory is short-lived.
const maxFree = 16;
const free: Buffer[] = [];

/** A buffer that nobody else uses. What it holds is left over from something else. */
export function takeReadBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(readBufferBytes);
}

/** Gives a buffer back. Whoever does so must be the last to know it. */
export function returnReadBuffer(buffer: Buffer): void {
  if (free.length < maxFree) free.push(buffer);
}
