// What the bench runs on, in words.

import { cpus, release, type as systemName, totalmem } from 'node:os';
import { findTool } from '../support/find-tool.ts';
import type { MachineFacts } from './bench-results.ts';
import { type BenchPeer, readVersion } from './peers/peer.ts';

/** Processor, memory, kernel, and the versions of everything that takes part. */
export function describeMachine(peers: readonly BenchPeer[]): MachineFacts {
  const versions = peers.map((peer) => [peer.name, peer.readVersion()]);
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${systemName()} ${release()}`,
    node: process.version,
    versions: Object.fromEntries([...versions, ['wrk', readVersion(findTool('wrk') ?? 'wrk', ['-v'])]]),
  };
}
