// node:http, as tight as it allows: what a program answers that has no server in front of it.

import { findFreePort } from '../../support/free-port.ts';
import { listProgramArguments } from '../list-program-arguments.ts';
import { type BenchPeer, readVersion, startPinned } from './peer.ts';

/** node:http. */
export const nodeHttpPeer: BenchPeer = {
  name: 'node:http',
  abilities: ['files', 'proxy', 'app'],
  runsApps: true,
  findObstacle: () => null,
  readVersion: (node) => readVersion(node, ['--version']),
  start: async ({ root, upstreamPort, application, node }) => {
    const port = await findFreePort();
    if (application === null) {
      const args = [`${port}`, root, `${upstreamPort}`];
      return startPinned(listProgramArguments(node, 'node-http-server.ts', ...args), port);
    }
    return startPinned(application.listCommand(node, `${port}`), port, {
      env: { ...application.env, NODE_ENV: 'production' },
    });
  },
};
