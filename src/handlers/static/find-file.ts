// From a path to an open file: the file itself, or the index of a folder.

import { closeSync } from 'node:fs';
import type { OpenedFile, StaticRoot } from './static-root.ts';

/** An open regular file and its path below the root. Whoever got it closes `file.fd`. */
export interface FoundFile {
  readonly path: string;
  readonly file: OpenedFile;
}

/**
 * Opens what `path` names below the root: with a slash at the end the first of the folder's index files that is
 * there. "folder" when a slash is missing; null when nothing is there. Throws as {@link StaticRoot.open} does.
 */
export function findFile(
  root: StaticRoot,
  path: string,
  index: readonly string[],
): FoundFile | 'folder' | null {
  if (path === '') return 'folder';
  if (!path.endsWith('/')) return openFile(root, path);
  for (const name of index) {
    const found = openFile(root, path + name);
    if (found !== null && found !== 'folder') return found;
  }
  return null;
}

function openFile(root: StaticRoot, path: string): FoundFile | 'folder' | null {
  const file = root.open(path);
  if (file === null) return null;
  if (file.stats.isFile()) return { path, file };
  closeSync(file.fd);
  return 'folder';
}
