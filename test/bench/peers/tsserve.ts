// Ours: one front worker, one instance of the application.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/run-tsserve.ts';
import { type SiteConfig, startServer } from '../../support/start-server.ts';
import { pinTo, serverCore } from '../cores.ts';
import type { BenchPeer, BenchSite } from './peer.ts';

/** tsserve as it is built in dist. */
export const tsservePeer: BenchPeer = {
  name: 'tsserve',
  abilities: ['files', 'proxy', 'app', 'program'],
  runsApps: true,
  findObstacle: () => null,
  readVersion: () => JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')).version,
  start: async (site) => {
    const { port, process } = await startServer(toConfig(site), {
      before: pinTo(serverCore),
      node: site.node,
      env: site.profileFolder === '' ? {} : listProfileVariables(site.profileFolder),
    });
    return { port, pid: process.pid, stop: () => process.stop() };
  },
};

function listProfileVariables(folder: string): Record<string, string> {
  const modules = ['dist/app-host/register-typescript.js', 'test/bench/programs/profile-process.ts'];
  const imports = modules.map((path) => `--import=${pathToFileURL(join(repositoryRoot, path))}`);
  return { NODE_OPTIONS: imports.join(' '), TSSERVE_PROFILE: folder };
}

function toConfig({ root, upstreamPort, application, routes, profileFolder }: BenchSite): SiteConfig {
  const profile = profileFolder === '' ? {} : { TSSERVE_PROFILE: profileFolder };
  const upstreams = {
    ...(upstreamPort > 0 && { tiny: { servers: [`http://127.0.0.1:${upstreamPort}`] } }),
    ...(application !== null && {
      app: { ...application.upstream, env: { ...application.env, ...profile } },
    }),
  };
  return {
    workers: 1,
    limits: { connections: 0 },
    timeouts: { keepalive: '1h' },
    upstreams,
    routes: [
      ...(upstreamPort > 0 ? [{ path: '/proxied/', proxy: 'tiny' }] : []),
      ...(application === null ? [] : [{ path: `/${application.name}/`, proxy: 'app' }]),
      ...Array.from({ length: routes }, (_, index) => ({
        path: `/route-${index}/`,
        return: { status: 200, body: `route ${index}\n` },
      })),
      { path: '/', static: { root } },
    ],
  };
}
