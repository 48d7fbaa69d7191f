// Medians, ratios and spreads of samples.

import type { Sample, SamplesByPeer } from '../bench-results.ts';

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
