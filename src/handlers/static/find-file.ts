// From a path to an open file: the file itself, or the index of a folder.

import { closeSync } from 'node:fs';
import type { ContentCoding } from '../../message/accept-encoding.ts';
import type { DescribedFile } from './representation.ts';
import type { OpenedFile, StaticRoot } from './static-root.ts';

/** An open regular file. Whoever got it closes `file.fd`. */
export interface FoundFile extends DescribedFile {
  readonly file: OpenedFile;
}

/**
 * Opens the regular file that `path`, without a slash at the end, names below the root. "folder" when it is a folder;
 * null when nothing is there. Throws as {@link StaticRoot.open} does.
 */
export function findFile(root: StaticRoot, path: string): FoundFile | 'folder' | null {
  const file = root.open(path);
  if (file === null) return null;
  if (file.stats.isFile()) return describeFound(path, file);
  closeSync(file.fd);
  return 'folder';
}

/** The first of a folder's index files that is there, or null. `folder` ends in a slash. */
export function findIndex(root: StaticRoot, folder: string, index: readonly string[]): FoundFile | null {
  for (const name of index) {
    const found = findFile(root, folder + name);
    if (found !== null && found !== 'folder') return found;
  }
  return null;
}

/** A file as it was found: by its own name, or as the encoded neighbour of the file at `path`. */
export function describeFound(
  path: string,
  file: OpenedFile,
  encoding: ContentCoding | null = null,
  varies = false,
): FoundFile {
  return { path, file, encoding, varies };
}
