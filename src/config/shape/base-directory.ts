// The folder that relative paths in a config start from. Shapes are made once, at import, but each parse belongs to
// a file; a parse is synchronous, so the folder of the one under way can stand in a module variable.

import { resolve } from 'node:path';

let current: string | null = null;

/** Runs a synchronous parse in which relative paths start from `directory`. */
export function parseInDirectory<T>(directory: string, parse: () => T): T {
  const outer = current;
  current = resolve(directory);
  try {
    return parse();
  } finally {
    current = outer;
  }
}

/** A path of the config as an absolute one. Outside a parse it starts from the working directory. */
export function resolveConfigPath(path: string): string {
  return resolve(current ?? process.cwd(), path);
}
