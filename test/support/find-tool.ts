// Looks for a program of the system.

import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of a program on PATH or in /usr/sbin, or null. "php-fpm*" stands for one with a version in its name. */
export function findTool(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  if (name.endsWith('*')) {
    const found = folders.flatMap(listNames).find((each) => each.startsWith(name.slice(0, -1)));
    return found === undefined ? null : findTool(found);
  }
  const isProgram = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
