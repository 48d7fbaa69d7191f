// Finds the program that a command names, as the shell does; and has it end with this process, where the system can.

import { accessSync, constants, realpathSync } from 'node:fs';
import { basename, delimiter, join, resolve } from 'node:path';

/** Of util-linux; that of busybox knows nothing of what is needed here. */
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(
  (path) => process.platform === 'linux' && isExecutable(path) && basename(realpathSync(path)) === 'setpriv',
);

/** The path of a program on a PATH, or relative to a folder when it is written with a slash; null if there is none. */
export function findProgram(name: string, searchPath: string, cwd: string): string | null {
  if (name.includes('/')) {
    const path = resolve(cwd, name);
    return isExecutable(path) ? path : null;
  }
  const folders = searchPath.split(delimiter).filter(Boolean);
  return folders.map((folder) => resolve(cwd, join(folder, name))).find(isExecutable) ?? null;
}

/**
 * The command with which the kernel sends its process SIGTERM when this one is gone, however it ended. Where that
 * cannot be had, the command as it is.
 */
export function endWithParent(command: readonly string[]): readonly string[] {
  return setpriv === undefined ? command : [setpriv, '--pdeathsig', 'TERM', '--', ...command];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
