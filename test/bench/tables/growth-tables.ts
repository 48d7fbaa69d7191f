// What grows, and the figures of our server alone, as tables.

import type { BenchResults, SamplesByPeer } from '../bench-results.ts';
import { benchFigures } from '../figures.ts';
import { growthItems } from '../growth-items.ts';
import { findMedian, medianOf } from './summarize.ts';
import { formatNumber, formatRatio, formatShare, type Table } from './table.ts';

/** Each step by each peer, with its ratio to the step that the item names. */
export function tabulateGrowth({ growth }: BenchResults): Table | null {
  const rows = growthItems.flatMap((item) => {
    const bySteps = growth[item.name];
    if (bySteps === undefined) return [];
    const peers = item.peers.filter((peer) => bySteps[item.reference]?.[peer] !== undefined);
    return peers.flatMap((peer) =>
      item.steps.map(({ label }) => [
        `${formatNumber(Number(label))} ${item.title}, ${peer}`,
        ...describeStep(bySteps[label], bySteps[item.reference], peer),
      ]),
    );
  });
  if (rows.length === 0) return null;
  return { header: ['growth', 'req/s', 'ratio', 'req/CPU s', 'ratio', 'core used'], rows };
}

/** Start-up and memory, with what they may come to. */
export function tabulateFigures({ figures }: BenchResults): Table | null {
  const rows = benchFigures.flatMap(({ name, title, unit, atMost }) => {
    const values = figures[name];
    if (values === undefined || values.length === 0) return [];
    const median = findMedian(values);
    const reached = median <= atMost ? 'yes' : 'no';
    const cells = [median, Math.min(...values), Math.max(...values)].map((value) => formatNumber(value, 1));
    return [[`${title}, ${unit}`, ...cells, String(values.length), `<= ${atMost}`, reached]];
  });
  if (rows.length === 0) return null;
  return { header: ['figure', 'median', 'lowest', 'highest', 'times', 'to reach', 'reached'], rows };
}

function describeStep(step: SamplesByPeer, reference: SamplesByPeer, peer: string): string[] {
  const measures = ['requestsPerSecond', 'requestsPerCpuSecond'] as const;
  const cells = measures.flatMap((measure) => {
    const median = medianOf(step, peer, measure);
    const standard = medianOf(reference, peer, measure);
    const ratio = median === undefined || standard === undefined ? undefined : median / standard;
    return [formatNumber(median), formatRatio(ratio)];
  });
  return [...cells, formatShare(medianOf(step, peer, 'serverShare'))];
}
