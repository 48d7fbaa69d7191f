// What an instance of a gateway function costs: how soon it is ready, how much memory it takes, measured from outside.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findChildren } from '../support/processes.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';
import { findApplication } from './applications.ts';
import { checkAnswer } from './check-answer.ts';
import { pinTo, serverCore } from './cores.ts';
import { readProportionalKiB, readResidentKiB } from './process-tree.ts';
import { bodies } from './site-content.ts';

const settleMs = 3_000;
const manyInstances = 10;
/** So many that each has had some: the least busy of them is asked. */
const requestsAtOnce = 50;

/**
 * Milliseconds from the order to start one more instance until it listens on its socket, on a core that it shares with
 * a server that idles.
 */
export async function measureInstanceStart(node: string): Promise<number> {
  const server = await startHello(1, node);
  await sleep(settleMs / 3);
  const startedAtMs = performance.now();
  server.process.sendSignal('SIGTTIN');
  while (countListeningInstances(server) < 2) {
    if (performance.now() - startedAtMs > 10_000) throw new Error(`no instance:\n${server.process.stderr}`);
    await sleep(1);
  }
  const elapsedMs = performance.now() - startedAtMs;
  await server.stop();
  return elapsedMs;
}

/** MiB resident of an instance, the mean of ten, some seconds after each had some requests. */
export function measureInstanceMemory(node: string): Promise<number> {
  return measureMemory(node, readResidentKiB);
}

/** Likewise, but what they share, with each other and the server, counts once. */
export function measureInstanceCost(node: string): Promise<number> {
  return measureMemory(node, readProportionalKiB);
}

async function measureMemory(node: string, readKiB: (pid: number) => number): Promise<number> {
  const server = await startHello(manyInstances, node);
  const asked = Array.from({ length: requestsAtOnce }, () =>
    checkAnswer(server.port, { path: '/', fields: [] }, { status: 200, body: bodies.hello }),
  );
  await Promise.all(asked);
  await sleep(settleMs);
  const sizesKiB = findChildren(server.process.pid, 'tsserve: app hello#').map(readKiB);
  await server.stop();
  if (sizesKiB.length !== manyInstances)
    throw new Error(`${sizesKiB.length} instances, not ${manyInstances}`);
  return sizesKiB.reduce((sum, size) => sum + size, 0) / manyInstances / 1024;
}

async function startHello(instances: number, node: string): Promise<StartedServer> {
  const upstreams = { hello: { ...findApplication('hello').upstream, instances } };
  const site = { workers: 1, upstreams, routes: [{ path: '/', proxy: 'hello' }] };
  const server = await startServer(site, { before: pinTo(serverCore), node });
  await waitUntil('all instances', () => countListeningInstances(server) === instances, 30_000);
  return server;
}

/** Sockets in the server's private folder on which connections are accepted. */
function countListeningInstances({ process: { pid } }: StartedServer): number {
  const folder = `/tsserve-${pid}-`;
  // Flags with SO_ACCEPTCON: it listens. The path ends the line.
  const isListening = (line: string) => line.includes(' 00010000 ') && line.includes(folder);
  return readFileSync('/proc/net/unix', 'utf8').split('\n').filter(isListening).length;
}
