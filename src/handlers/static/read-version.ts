// Reads bytes of an open file, and says whether they are still bytes of the version that was opened.

import { fstatSync, read } from 'node:fs';
import { type FileVersion, isSameVersion } from './file-version.ts';
import type { OpenedFile } from './static-root.ts';

/**
 * Takes what was read. `problem` tells why the bytes must not be sent, null when they may. `isExact`: nothing at all
 * has happened to the file since it was opened, so that the bytes may be given to others who opened the same version.
 */
export type OnVersionRead = (problem: string | null, bytes: Buffer, isExact: boolean) => void;

/**
 * Reads `length` bytes at `position` on the thread pool, to the front of `buffer`. `bytes` is that front, and shorter
 * only when the file ends there.
 */
export function readVersion(
  file: OpenedFile,
  position: number,
  buffer: Buffer,
  length: number,
  onVersionRead: OnVersionRead,
): void {
  read(file.fd, buffer, 0, length, position, (error, byteCount) => {
    const bytes = byteCount === buffer.length ? buffer : buffer.subarray(0, byteCount);
    if (error !== null) {
      onVersionRead(error.message, bytes, false);
      return;
    }
    let now: FileVersion;
    try {
      now = fstatSync(file.fd, { bigint: true });
    } catch (failure) {
      // A file of another machine can be gone although it is open.
      onVersionRead((failure as Error).message, bytes, false);
      return;
    }
    onVersionRead(findProblem(file.stats, now, byteCount), bytes, isSameVersion(file.stats, now));
  });
}

/** What makes the bytes just read unfit to follow those sent before, or null. */
function findProblem(opened: FileVersion, now: FileVersion, byteCount: number): string | null {
  if (byteCount === 0 || now.size < opened.size) return 'the file was truncated while it was sent';
  // A file that grew is taken for one that is appended to: what was there stays as it was.
  if (now.mtimeNs !== opened.mtimeNs && now.size === opened.size) {
    return 'the file was overwritten while it was sent';
  }
  return null;
}
