// Medians, ratios and spreads of samples.

import type { BenchResults, Sample, SamplesByPeer } from '../bench-results.ts';

/** A measure of a sample. */
export type Measure = keyof Sample;

/** The peer that is ours, and the one that the ratios are to. */
export const oursName = 'tsserve';
export const referenceName = 'nginx';

/** The middle value; of an even number the mean of the two in the middle. NaN of none. */
export function findMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median over the rounds; undefined when the peer took no part. */
export function medianOf(samples: SamplesByPeer, peer: string, measure: Measure): number | undefined {
  const ofPeer = samples[peer];
  return ofPeer === undefined ? undefined : findMedian(ofPeer.map((sample) => sample[measure]));
}

/**
 * The round with the least CPU time for each request. Other load on a machine only ever adds to it, so this is nearer
 * than the median to what a request costs where there is much of it. Undefined when the peer took no part.
 */
export function bestOf(samples: SamplesByPeer, peer: string): number | undefined {
  const ofPeer = samples[peer];
  return ofPeer === undefined ? undefined : Math.max(...ofPeer.map((sample) => sample.requestsPerCpuSecond));
}

/** One peer's best round through another's; undefined when one of them took no part. */
export function ratioOfBest(samples: SamplesByPeer, peer: string, other: string): number | undefined {
  const mine = bestOf(samples, peer);
  const theirs = bestOf(samples, other);
  return mine === undefined || theirs === undefined ? undefined : mine / theirs;
}

/** One peer's median through another's; undefined when one of them took no part. */
export function ratioOf(
  samples: SamplesByPeer,
  peer: string,
  other: string,
  measure: Measure,
): number | undefined {
  const mine = medianOf(samples, peer, measure);
  const theirs = medianOf(samples, other, measure);
  return mine === undefined || theirs === undefined ? undefined : mine / theirs;
}

/** From the lowest to the highest, in hundredths of the median. */
export function spreadOf(values: readonly number[]): number {
  return ((Math.max(...values) - Math.min(...values)) / findMedian(values)) * 100;
}

/** What the rounds of one peer at one kind of work come to. A ratio is missing where nginx took no part. */
export interface PeerSummary {
  readonly requestsPerSecond: number | undefined;
  readonly requestsPerCpuSecond: number | undefined;
  /** By medians, to nginx. */
  readonly ratio: number | undefined;
  readonly bestRequestsPerCpuSecond: number | undefined;
  /** By best rounds, to nginx. */
  readonly bestRatio: number | undefined;
}

/** By kind, then by peer. */
export function summarizeKinds(kinds: BenchResults['kinds']): Record<string, Record<string, PeerSummary>> {
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, samples]) => [
      kind,
      Object.fromEntries(Object.keys(samples).map((peer) => [peer, summarizePeer(samples, peer)])),
    ]),
  );
}

function summarizePeer(samples: SamplesByPeer, peer: string): PeerSummary {
  return {
    requestsPerSecond: medianOf(samples, peer, 'requestsPerSecond'),
    requestsPerCpuSecond: medianOf(samples, peer, 'requestsPerCpuSecond'),
    ratio: ratioOf(samples, peer, referenceName, 'requestsPerCpuSecond'),
    bestRequestsPerCpuSecond: bestOf(samples, peer),
    bestRatio: ratioOfBest(samples, peer, referenceName),
  };
}
