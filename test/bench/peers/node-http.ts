// node:http, as tight as it allows: what a program answers that has no server in front of it.

import { join } from 'node:path';
import { findFreePort } from '../../support/free-port.ts';
import { repositoryRoot } from '../../support/run-tsserve.ts';
import { type BenchPeer, startPinned } from './peer.ts';

/** A command line that runs a program of test/bench/programs with TypeScript understood. */
export function listProgramArguments(program: string, ...args: readonly string[]): string[] {
  const register = join(repositoryRoot, 'dist/app-host/register-typescript.js');
  return [
    process.execPath,
    '--import',
    register,
    join(repositoryRoot, 'test/bench/programs', program),
    ...args,
  ];
}

/** node:http. */
export const nodeHttpPeer: BenchPeer = {
  name: 'node:http',
  abilities: ['files', 'proxy', 'app'],
  runsApps: true,
  findObstacle: () => null,
  readVersion: () => process.version.slice(1),
  start: async ({ root, upstreamPort }) => {
    const port = await findFreePort();
    return startPinned(listProgramArguments('node-http-server.ts', `${port}`, root, `${upstreamPort}`), port);
  },
};
