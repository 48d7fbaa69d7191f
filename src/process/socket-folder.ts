// The private folder with the sockets of app instances: mode 0700, so nobody but this user can talk to an application
// past the server. Removed at the end; what a killed master left behind, the next one removes.

import {
  chmodSync,
  chownSync,
  type Dirent,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSocketAnswered } from './socket-probe.ts';

/** sockaddr_un holds 107 bytes and an end; this much is kept for the names of sockets in the folder. */
const longestFolder = 107 - 48;
const longestLabel = 24;
/** A folder this young may belong to a master that has not bound its sockets yet. */
const youngMs = 60_000;
const namePattern = /^tsserve-(\d+)-/;

/** A folder for sockets. */
export class SocketFolder {
  readonly path: string;
  #serial = 0;

  /** Makes the folder. Throws when no place for it is left. */
  constructor() {
    const base = findBase();
    this.path = mkdtempSync(join(base, `tsserve-${process.pid}-`));
  }

  /**
   * A path that no socket of this folder had before. `label` is for whoever looks into the folder. A program that runs
   * as another user, `owner`, gets a folder inside, where it can make its socket and nobody else.
   */
  createPath(label: string, owner?: { readonly uid: number; readonly gid: number }): string {
    const name = `${label.slice(0, longestLabel)}.${++this.#serial}`;
    if (owner === undefined || owner.uid === process.getuid?.()) return join(this.path, `${name}.sock`);
    const own = join(this.path, name);
    mkdirSync(own, 0o700);
    try {
      chownSync(own, owner.uid, owner.gid);
      chmodSync(this.path, 0o711);
    } catch {
      // Without the right to do this there is none to start the program either, which says so.
    }
    return join(own, 's.sock');
  }

  /** Removes what a path of `createPath` names, with the folder that was made for it. */
  removePath(path: string): void {
    removeIfThere(path);
    if (dirname(path) !== this.path) removeIfEmpty(dirname(path));
  }

  /** Removes the folder with everything in it. */
  remove(): void {
    removeFolder(this.path);
  }
}

/** Never deeper than what is made here: below, another user may have put links. */
function removeFolder(folder: string): void {
  for (const entry of listEntries(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      for (const inner of listEntries(path)) removeIfThere(join(path, inner.name));
      removeIfEmpty(path);
    } else removeIfThere(path);
  }
  removeIfEmpty(folder);
}

function listEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // A program that ended by itself has removed it.
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not ours to empty.
  }
}

function findBase(): string {
  const candidates = [process.env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'];
  const fitting = candidates.find(
    (base) =>
      base !== undefined && base !== '' && Buffer.byteLength(base) + 24 <= longestFolder && isUsable(base),
  );
  return fitting ?? '/tmp';
}

function isUsable(base: string): boolean {
  try {
    rmSync(mkdtempSync(join(base, `tsserve-${process.pid}-`)), { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** Removes folders whose master was killed: its process is gone and nobody answers on any of its sockets. */
export async function removeStaleSocketFolders(besides: string): Promise<void> {
  const base = join(besides, '..');
  const names = await readdir(base).catch(() => []);
  for (const name of names) {
    const pid = Number(namePattern.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await removeIfSilent(join(base, name)).catch(() => {});
  }
}

async function removeIfSilent(folder: string): Promise<void> {
  const { mtimeMs, uid } = await stat(folder);
  if (uid !== process.getuid?.() || Date.now() - mtimeMs < youngMs) return;
  for (const { name, parentPath } of await readdir(folder, { withFileTypes: true, recursive: true })) {
    // Ids of processes mean nothing across containers that share this folder: an answered socket does.
    if (await isSocketAnswered(join(parentPath, name))) return;
  }
  removeFolder(folder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
