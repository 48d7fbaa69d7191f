// How a program of test/bench/programs is started.

import { join } from 'node:path';
import { repositoryRoot } from '../support/run-tsserve.ts';

/** A command line that runs it with TypeScript understood. `node`: path of the binary. */
export function listProgramArguments(node: string, program: string, ...args: readonly string[]): string[] {
  const register = join(repositoryRoot, 'dist/app-host/register-typescript.js');
  return [node, '--import', register, join(repositoryRoot, 'test/bench/programs', program), ...args];
}
