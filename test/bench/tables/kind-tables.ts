// The kinds of work as tables: ours against nginx with the targets, and everyone.

import type { BenchResults, SamplesByPeer } from '../bench-results.ts';
import { type BenchKind, benchKinds } from '../kinds.ts';
import { benchPeers } from '../peers/bench-peers.ts';
import {
  type Measure,
  medianOf,
  oursName,
  ratioOf,
  ratioOfBest,
  referenceName,
  spreadOf,
} from './summarize.ts';
import { formatNumber, formatRatio, formatShare, type Table } from './table.ts';

/** Ours against nginx, with what is to be reached. */
export function tabulateTargets({ kinds }: BenchResults): Table {
  return {
    header: [
      'work',
      `${oursName} req/s`,
      `${referenceName} req/s`,
      'ratio',
      `${oursName} req/CPU s`,
      `${referenceName} req/CPU s`,
      'ratio',
      'best',
      'spread',
      'to reach',
      'reached',
    ],
    rows: listKinds(kinds).map(([kind, samples]) => [
      kind.title,
      formatNumber(medianOf(samples, oursName, 'requestsPerSecond')),
      formatNumber(medianOf(samples, referenceName, 'requestsPerSecond')),
      formatRatio(ratioOf(samples, oursName, referenceName, 'requestsPerSecond')),
      formatNumber(medianOf(samples, oursName, 'requestsPerCpuSecond')),
      formatNumber(medianOf(samples, referenceName, 'requestsPerCpuSecond')),
      formatRatio(ratioOf(samples, oursName, referenceName, 'requestsPerCpuSecond')),
      formatRatio(ratioOfBest(samples, oursName, referenceName)),
      formatSpread(samples),
      formatTarget(kind),
      judge(kind, samples),
    ]),
  };
}

/** One measure of everyone, each with its ratio to nginx. */
export function tabulatePeers({ kinds }: BenchResults, measure: Measure): Table {
  const rows = listKinds(kinds);
  const peers = listPeers(rows);
  return {
    header: ['work', ...peers],
    rows: rows.map(([kind, samples]) => [
      kind.title,
      ...peers.map((peer) => {
        const median = formatNumber(medianOf(samples, peer, measure));
        const ratio = ratioOf(samples, peer, referenceName, measure);
        return ratio === undefined || peer === referenceName ? median : `${median} (${formatRatio(ratio)})`;
      }),
    ]),
  };
}

/** How much of its core each server used, and how busy load generator and upstream were while ours was asked. */
export function tabulateShares({ kinds }: BenchResults): Table {
  const rows = listKinds(kinds);
  const peers = listPeers(rows);
  return {
    header: ['work', ...peers, "load generator's core", 'upstream alone'],
    rows: rows.map(([kind, samples]) => [
      kind.title,
      ...peers.map((peer) => formatShare(medianOf(samples, peer, 'serverShare'))),
      formatShare(medianOf(samples, oursName, 'loadShare')),
      kind.needs === 'proxy' ? formatShare(medianOf(samples, oursName, 'upstreamShare')) : '-',
    ]),
  };
}

/** CPU seconds for 100,000 requests, with their ratio to nginx's: the measure of applications. `best` is ours. */
export function tabulateCpuCosts({ kinds }: BenchResults): Table | null {
  const rows = listKinds(kinds).filter(([kind]) => kind.application !== undefined);
  if (rows.length === 0) return null;
  const peers = listPeers(rows);
  return {
    header: ['CPU s for 100,000 requests', ...peers, 'best', 'to reach'],
    rows: rows.map(([kind, samples]) => [
      kind.title,
      ...peers.map((peer) => {
        const rate = medianOf(samples, peer, 'requestsPerCpuSecond');
        const cost = formatNumber(rate === undefined ? undefined : 100_000 / rate, 2);
        const ratio = ratioOf(samples, referenceName, peer, 'requestsPerCpuSecond');
        return ratio === undefined || peer === referenceName ? cost : `${cost} (${formatRatio(ratio)})`;
      }),
      formatRatio(ratioOfBest(samples, referenceName, oursName)),
      formatTarget(kind).replace('CPU ', ''),
    ]),
  };
}

/** "yes" or "no", by the ratio per CPU second; "-" without nginx. */
export function judge({ target }: BenchKind, samples: SamplesByPeer): string {
  const ratio = ratioOf(samples, oursName, referenceName, 'requestsPerCpuSecond');
  if (ratio === undefined) return '-';
  const isReached = 'atLeast' in target ? ratio >= target.atLeast : 1 / ratio <= target.cpuAtMost;
  return isReached ? 'yes' : 'no';
}

function formatTarget({ target }: BenchKind): string {
  return 'atLeast' in target ? `>= ${target.atLeast}` : `CPU <= ${target.cpuAtMost}`;
}

function formatSpread(samples: SamplesByPeer): string {
  const ours = samples[oursName];
  if (ours === undefined) return '-';
  return `${Math.round(spreadOf(ours.map((sample) => sample.requestsPerCpuSecond)))} %`;
}

function listKinds(kinds: BenchResults['kinds']): [BenchKind, SamplesByPeer][] {
  return benchKinds.flatMap((kind): [BenchKind, SamplesByPeer][] =>
    kinds[kind.name] === undefined ? [] : [[kind, kinds[kind.name]]],
  );
}

/** Those that took part in one of the rows, in the order of the bench. */
function listPeers(rows: readonly [BenchKind, SamplesByPeer][]): string[] {
  return benchPeers
    .map((peer) => peer.name)
    .filter((name) => rows.some(([, samples]) => samples[name] !== undefined));
}
