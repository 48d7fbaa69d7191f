// Reads the entries of a folder that may be shown, a few milliseconds at a time: other requests go on in between.

import { closeSync, type Dir, lstatSync, type Stats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../../base/clock.ts';
import { createNotFound } from './file-error.ts';
import { fromByteString } from './file-path-bytes.ts';
import { isServablePath } from './is-servable-path.ts';
import type { StaticRoot } from './static-root.ts';

/** A file or folder in a listing. */
export interface FolderEntry {
  /** Bytes that are not UTF-8 as in `Exchange.path`. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAtMs: number;
}

/** A folder's entries, in no order. */
export interface FolderContents {
  readonly entries: FolderEntry[];
  /** False when there are more than a listing can hold. */
  readonly isComplete: boolean;
}

// A folder with more is no longer for people to read.
const maxEntries = 50_000;
const sliceMs = 3;
const readAhead = 256;

/**
 * Reads the folder at `folder`, which ends in a slash. What would not be served is left out: hidden names, links that
 * are not followed, all that is neither file nor folder.
 */
export async function readFolder(
  root: StaticRoot,
  folder: string,
  dotfiles: boolean,
): Promise<FolderContents> {
  const opened = root.open(folder.slice(0, -1));
  if (opened === null) throw createNotFound(`no such folder: ${folder}`);
  try {
    const place = root.toDescriptorPath(opened.fd, folder);
    const dir = await opendir(place, { encoding: 'latin1', bufferSize: readAhead });
    return await readEntries(dir, (name) => {
      const path = folder + fromByteString(name);
      if (!isServablePath(`/${path.slice(folder.length)}`, dotfiles)) return null;
      return describeEntry(root, path, folder, Buffer.concat([place, Buffer.from(`/${name}`, 'latin1')]));
    });
  } finally {
    closeSync(opened.fd);
  }
}

async function readEntries(
  dir: Dir,
  describe: (name: string) => FolderEntry | null,
): Promise<FolderContents> {
  const entries: FolderEntry[] = [];
  let sliceStartedAtMs = monotonicMs();
  for await (const { name } of dir) {
    if (entries.length === maxEntries) return { entries, isComplete: false };
    const entry = describe(name);
    if (entry !== null) entries.push(entry);
    if (monotonicMs() - sliceStartedAtMs < sliceMs) continue;
    await setImmediate();
    sliceStartedAtMs = monotonicMs();
  }
  return { entries, isComplete: true };
}

function describeEntry(root: StaticRoot, path: string, folder: string, place: Buffer): FolderEntry | null {
  try {
    let stats: Pick<Stats, 'isFile' | 'isDirectory' | 'size' | 'mtimeMs'> = lstatSync(place);
    if ((stats as Stats).isSymbolicLink()) {
      const target = readLinked(root, path);
      if (target === null) return null;
      stats = target;
    }
    if (!stats.isFile() && !stats.isDirectory()) return null;
    return {
      name: path.slice(folder.length),
      isFolder: stats.isDirectory(),
      size: stats.isDirectory() ? 0 : stats.size,
      modifiedAtMs: stats.mtimeMs,
    };
  } catch {
    // Gone since the folder was read, or a link that is not followed.
    return null;
  }
}

function readLinked(
  root: StaticRoot,
  path: string,
): Pick<Stats, 'isFile' | 'isDirectory' | 'size' | 'mtimeMs'> | null {
  const opened = root.open(path);
  if (opened === null) return null;
  closeSync(opened.fd);
  const { stats } = opened;
  return {
    isFile: () => stats.isFile(),
    isDirectory: () => stats.isDirectory(),
    size: Number(stats.size),
    mtimeMs: Number(stats.mtimeMs),
  };
}
