// Start-up and memory of our server, measured from outside: as whoever runs it sees them.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../support/free-port.ts';
import { startTsserve } from '../support/run-tsserve.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { pinTo, serverCore } from './cores.ts';
import { createFileSite, type StartedPeer } from './peers/peer.ts';
import { tsservePeer } from './peers/tsserve.ts';
import { listTree, readResidentKiB } from './process-tree.ts';
import { bodies, siteFiles } from './site-content.ts';

const idleConnections = 10_000;
/** Fewer than the ports of an address, with room for those of others. */
const connectionsPerAddress = 5_000;
const settleMs = 3_000;
const request = 'GET /1k.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** Milliseconds from the start of the process to the end of the first answer, master and front worker on one core. */
export async function measureStartUp(node: string): Promise<number> {
  const port = await findFreePort();
  const site = { listen: `127.0.0.1:${port}`, workers: 1, routes: [{ path: '/', static: '.' }] };
  const folder = createTempFolder({ 'site.json': JSON.stringify(site), '1k.txt': bodies.oneKiB });
  const startedAtMs = performance.now();
  const running = startTsserve(['-c', join(folder, 'site.json')], { before: pinTo(serverCore), node });
  while (!(await isAnswering(port))) {
    if (!running.isRunning) throw new Error(`the server ended instead of answering:\n${running.stderr}`);
    await sleep(1);
  }
  const elapsedMs = performance.now() - startedAtMs;
  await running.stop();
  return elapsedMs;
}

/** MiB of the front worker, some seconds after its start. */
export async function measureIdleMemory(node: string): Promise<number> {
  const server = await startOurs(node);
  await sleep(settleMs);
  const residentKiB = readResidentKiB(findFrontWorker(server));
  await server.stop();
  return residentKiB / 1024;
}

/** KiB of the front worker for each connection that has had an answer and is kept. */
export async function measureIdleConnections(node: string): Promise<number> {
  requireDescriptors(idleConnections + 1_000);
  const server = await startOurs(node);
  const worker = findFrontWorker(server);
  // What the first requests load and allocate once and for all is no cost of a connection.
  const first = await openConnections(server.port, 500);
  for (const socket of first) socket.destroy();
  await sleep(settleMs);
  const beforeKiB = readResidentKiB(worker);
  const sockets = await openConnections(server.port, idleConnections);
  await sleep(settleMs);
  const afterKiB = readResidentKiB(worker);
  const closed = sockets.filter((socket) => socket.readyState !== 'open').length;
  for (const socket of sockets) socket.destroy();
  await server.stop();
  if (closed > 0) throw new Error(`${closed} of ${idleConnections} idle connections were closed`);
  return (afterKiB - beforeKiB) / idleConnections;
}

function startOurs(node: string): Promise<StartedPeer> {
  return tsservePeer.start(createFileSite(createTempFolder({ ...siteFiles }), node));
}

/** The last process of the tree: the master starts nothing else here. */
function findFrontWorker({ pid }: StartedPeer): number {
  const pids = listTree([pid]).filter((each) => each !== pid);
  if (pids.length !== 1) throw new Error(`${pids.length} processes below the master, not 1`);
  return pids[0];
}

function requireDescriptors(count: number): void {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  if (limit !== null && Number(limit[1]) < count) {
    throw new Error(`${idleConnections} connections need a limit of ${count} open files: ulimit -n ${count}`);
  }
}

/** Connections from 127.0.0.2 on, an answer had on each, 200 at a time. */
async function openConnections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(200, count - sockets.length) }, (_, index) =>
      openConnection(port, `127.0.0.${2 + Math.floor((sockets.length + index) / connectionsPerAddress)}`),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

function openConnection(port: number, localAddress: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    let received = 0;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('an idle connection was closed')));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > bodies.oneKiB.length) resolve(socket);
    });
    socket.write(request);
  });
}

function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = 0;
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < bodies.oneKiB.length) return;
      resolve(true);
      socket.destroy();
    });
  });
}
