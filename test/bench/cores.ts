// Who runs where: the servers on the first core; load generator, upstream and the bench itself on the second.

import { execFileSync } from 'node:child_process';

/** The core of the server that is measured, and of the applications behind it. */
export const serverCore = 0;
/** The core of everything else. */
export const loadCore = 1;

/** Words before a command line that keep it on a core. */
export function pinTo(core: number): string[] {
  return ['taskset', '-c', String(core)];
}

/** Keeps this process, with all its threads, off the server's core. */
export function pinThisProcess(): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(loadCore), String(process.pid)], { stdio: 'ignore' });
}
