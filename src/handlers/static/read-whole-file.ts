// Reads a small file at once, sure that all its bytes belong to one version.

import { fstatSync, readSync } from 'node:fs';
import type { FileVersion } from './file-version.ts';
import { isSameVersion } from './file-version.ts';
import type { OpenedFile } from './static-root.ts';

const readAttempts = 3;

/** The bytes of a file together with the version they are of. */
export interface WholeFile {
  readonly version: FileVersion;
  readonly bytes: Buffer;
}

/**
 * Reads an open file, which stays open. Null when it keeps changing under the reader or is longer than `maxBytes`.
 * Throws the system's error.
 */
export function readWholeFile(file: OpenedFile, maxBytes: number): WholeFile | null {
  let version: FileVersion = file.stats;
  for (let attempt = 0; attempt < readAttempts; attempt++) {
    if (version.size > maxBytes) return null;
    const bytes = readBytes(file.fd, Number(version.size));
    const after = fstatSync(file.fd, { bigint: true });
    if (bytes !== null && isSameVersion(version, after)) return { version, bytes };
    version = after;
  }
  return null;
}

/** Null when the file ends too early. */
function readBytes(fd: number, size: number): Buffer | null {
  // Not from the pool: it would keep a whole slab alive for as long as the bytes are cached.
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(fd, bytes, filled, size - filled, filled);
    if (count === 0) return null;
    filled += count;
  }
  return bytes;
}
