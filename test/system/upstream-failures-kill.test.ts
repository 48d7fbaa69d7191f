// A peer that is killed and started again, under a load of two thousand requests a second.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findFreePorts } from '../support/free-port.ts';
import { runLoad } from '../support/load.ts';
import { type RunningProcess, startProcess } from '../support/run-tsserve.ts';
import { startServer, waitUntilListening } from '../support/start-server.ts';

const intervalMs = 500;
/** A health check is due up to a tick of the timers later, and a machine that is busy takes its time. */
const toleranceMs = 500;

const program = `
  const [, port, name] = process.argv;
  require('node:http')
    .createServer((request, response) => response.setHeader('X-Upstream', name).end('ok'))
    .listen(Number(port), '127.0.0.1');
`;

async function startPeer(port: number, name: string): Promise<RunningProcess> {
  const running = startProcess([process.execPath, '-e', program, String(port), name]);
  await waitUntilListening(running, port);
  return running;
}

it('T11, T37: kill -9 of one of three peers fails no request, sends nothing its way, and it is back at once', async () => {
  const ports = await findFreePorts(3);
  const peers = await Promise.all(ports.map((port, i) => startPeer(port, 'abc'[i])));
  const server = await startServer({
    workers: 1,
    upstreams: {
      three: {
        servers: ports.map((port) => `http://127.0.0.1:${port}`),
        health: { path: '/', interval: `${intervalMs}ms`, jitter: 0 },
      },
    },
    routes: [{ path: '/', proxy: 'three' }],
    accessLog: { path: 'access.log', format: '$time_iso8601 $status $upstream_addr | $upstream_outcome' },
  });
  let killedAt = 0;
  let restartedAt = 0;
  let backAt = 0;
  const load = runLoad({
    port: server.port,
    requests: 9000,
    perSecond: 2000,
    connections: 32,
    countField: 'x-upstream',
    onProgress: (done, name) => {
      if (done === 2000) {
        process.kill(peers[1].pid, 'SIGKILL');
        killedAt = Date.now();
      }
      if (restartedAt > 0 && backAt === 0 && name === 'b') backAt = Date.now();
    },
  });
  await peers[1].exit;
  await sleep(700);
  const restartingAt = Date.now();
  await startPeer(ports[1], 'b');
  restartedAt = Date.now();
  const result = await load;
  await sleep(200);

  const tries = readFileSync(join(server.folder, 'access.log'), 'latin1')
    .split('\n')
    .filter((line) => line.includes(`127.0.0.1:${ports[1]}`) && !/\| answered$/.test(line))
    .map((line) => Date.parse(line.slice(0, line.indexOf(' '))))
    .filter((at) => at < restartingAt);
  // From the first request that met it: how long a killed process takes to be gone is the system's affair.
  const offMs = tries.length === 0 ? 0 : Math.max(...tries) - Math.min(...tries);
  console.log(
    `kill: ${result.failures.length} failed of 9000 at ${Math.round(9000 / result.seconds)} a second; ` +
      `${tries.length} requests met the dead peer, the last ${offMs} ms after the first, which was ` +
      `${Math.min(...tries) - killedAt} ms after the kill; ` +
      `back ${backAt - restartedAt} ms after it listened again`,
  );
  expect(result.failures).toEqual([]);
  expect(result.statuses).toEqual({ 200: 9000 });
  expect(offMs).toBeLessThan(100);
  expect(backAt).toBeGreaterThan(0);
  expect(backAt - restartedAt).toBeLessThan(intervalMs + toleranceMs);
  await server.process.waitForStderr(/does not pass its health check: .*ECONNREFUSED[\s\S]*is well/);
});
