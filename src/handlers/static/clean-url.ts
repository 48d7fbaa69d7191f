// The one address of a page when its URLs are clean: "/about" for about.html, "/docs/" for docs/index.html.

import { closeSync } from 'node:fs';
import { findFile } from './find-file.ts';
import type { StaticRoot } from './static-root.ts';

const extension = '.html';

/**
 * The clean form of a servable path, null when it is clean already, names no page, or when the clean form would be
 * another file's. Throws as {@link StaticRoot.open} does.
 */
export function findCleanPath(root: StaticRoot, path: string, index: readonly string[]): string | null {
  if (!path.endsWith(extension) || !isFile(root, path)) return null;
  const slash = path.lastIndexOf('/');
  if (path.slice(slash + 1) === index[0]) return path.slice(0, slash + 1);
  const clean = path.slice(0, -extension.length);
  return isFile(root, clean) ? null : clean;
}

function isFile(root: StaticRoot, path: string): boolean {
  const found = findFile(root, path);
  if (found === null || found === 'folder') return false;
  closeSync(found.file.fd);
  return true;
}
