import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot, startProcess } from '../support/run-tsserve.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

let server: StartedServer;
let folder: string;

/** Builds the Nitro application as its users do, in a folder of its own. */
beforeAll(async () => {
  folder = createTempFolder({ 'package.json': '{ "type": "module" }' });
  cpSync(`${repositoryRoot}test/system/applications/nitro`, folder, { recursive: true });
  // Nothing but Nitro: what else lies there is of other versions than its own.
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(`${repositoryRoot}node_modules/nitro`, join(folder, 'node_modules/nitro'));
  const nitro = `${repositoryRoot}node_modules/nitro/dist/cli/index.mjs`;
  const build = startProcess([process.execPath, nitro, 'build', '--preset', 'standard'], {
    cwd: folder,
    // Named, so that it does not go looking for another one to install.
    env: { NODE_ENV: 'production', NITRO_BUILDER: 'rollup' },
  });
  const { code } = await build.exit;
  expect([code, build.stderr]).toEqual([0, expect.anything()]);
  server = await startServer({
    workers: 1,
    upstreams: { nitro: { app: join(folder, '.output/server/index.mjs') } },
    routes: [{ path: '/', proxy: 'nitro' }],
  });
});

describe('a Nitro build', () => {
  it('answers as it is', async () => {
    const response = await fetch(`${server.url}/api/you?q=a%20b`);
    expect(await response.json()).toEqual({ hello: 'you', query: 'a b' });
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404);
  });

  it('shows the source, not the bundle, in the stack of what it throws', async () => {
    expect((await fetch(`${server.url}/throw`)).status).toBe(500);
    await server.process.waitForStderr(/routes\/throw\.ts:4:\d+/);
  });
});
