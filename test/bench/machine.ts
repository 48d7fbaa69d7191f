// What the bench runs on, in words.

import { cpus, release, type as systemName, totalmem } from 'node:os';
import { findTool } from '../support/find-tool.ts';
import type { BenchApplication } from './applications.ts';
import type { MachineFacts } from './bench-results.ts';
import { type BenchPeer, readVersion } from './peers/peer.ts';

/** Processor, memory, kernel, and the versions of everything that takes part. `node`: path of the binary. */
export function describeMachine(
  peers: readonly BenchPeer[],
  applications: readonly BenchApplication[],
  node: string,
): MachineFacts {
  const versions = peers.map((peer) => [peer.name, peer.readVersion(node)]);
  const versionsBehind = applications.flatMap((each) => Object.entries(each.readVersions()));
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${systemName()} ${release()}`,
    node: `v${readVersion(node, ['--version'])}`,
    versions: Object.fromEntries([
      ...versions,
      ...versionsBehind,
      ['wrk', readVersion(findTool('wrk') ?? 'wrk', ['-v'])],
    ]),
  };
}
