// The file with the master's process id: how `tsserve -s` and other programs find the server.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes our id, whatever a server before left there. Readers see the old content or the new, never half of it. */
export function writePidFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const text = `${process.pid}\n`;
  const found = statSync(path, { throwIfNoEntry: false });
  // "/dev/null" is to stay what it is.
  if (found !== undefined && !found.isFile()) {
    writeFileSync(path, text);
    return;
  }
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  try {
    // Never through a link that somebody put there.
    writeFileSync(draft, text, { mode: 0o644, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Removes the file, unless another server has written its own id meanwhile. */
export function removePidFile(path: string): void {
  try {
    if (readPidFile(path) === process.pid) unlinkSync(path);
  } catch {
    // Somebody else removed it: that was the aim.
  }
}

/** The id in the file, or null when it holds none. Throws when it cannot be read. */
export function readPidFile(path: string): number | null {
  const text = readFileSync(path, 'utf8').trim();
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}
