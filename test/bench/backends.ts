// What stands behind the servers: an upstream on the core of the load, and for those that run no applications
// themselves an application on the server's core, whose CPU time counts as theirs.

import { join } from 'node:path';
import { findTool } from '../support/find-tool.ts';
import { findFreePort } from '../support/free-port.ts';
import { startProcess } from '../support/run-tsserve.ts';
import { waitUntilListening } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import type { BenchApplication } from './applications.ts';
import { loadCore, pinTo, serverCore } from './cores.ts';
import { listProgramArguments } from './list-program-arguments.ts';
import { listNginxArguments, renderUpstreamConfig } from './peers/nginx.ts';
import { startPinned } from './peers/peer.ts';
import { bodies } from './site-content.ts';

/** What the upstream is made of. */
export function describeUpstream(): string {
  return findTool('nginx') === null ? 'a small Node program over node:net' : 'nginx';
}

/** Starts the upstream that all peers proxy to: nginx where there is one, since nothing in Node is fast enough. */
export async function startUpstream(root: string): Promise<{ port: number; pid: number }> {
  const port = await findFreePort();
  const nginx = findTool('nginx');
  const small = bodies.small.toString();
  if (nginx === null) {
    const args = [`${port}`, join(root, '100k.bin'), small];
    const program = listProgramArguments(process.execPath, 'tiny-upstream.ts', ...args);
    return startPinned(program, port, { core: loadCore });
  }
  const folder = createTempFolder();
  writeFiles(folder, { config: renderUpstreamConfig(port, root, small) });
  return startPinned([nginx, ...listNginxArguments(folder, join(folder, 'config'))], port, {
    core: loadCore,
  });
}

/** Starts an application that stands behind the other servers. `node`: path of the binary for those that need it. */
export async function startApplication(
  application: BenchApplication,
  node: string,
): Promise<{ socketPath: string; pid: number }> {
  const socketPath = join(createTempFolder(), 'app.sock');
  const running = startProcess(application.listCommand(node, socketPath), {
    before: pinTo(serverCore),
    env: { ...application.env, NODE_ENV: 'production' },
  });
  await waitUntilListening(running, socketPath);
  return { socketPath, pid: running.pid };
}
