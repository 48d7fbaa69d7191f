// Results that were never measured, for the tests of tables and document.

import type { BenchResults, Sample } from '../bench-results.ts';

/** A sample with these rates, of a server that filled half its core. */
export function createSample(requestsPerSecond: number, requestsPerCpuSecond: number): Sample {
  return { requestsPerSecond, requestsPerCpuSecond, serverShare: 0.5, loadShare: 0.9, upstreamShare: 0.25 };
}

/** Two rounds of two kinds, one item that grows, two figures. */
export const cannedResults: BenchResults = {
  machine: {
    cpu: 'Imaginary 9000',
    cores: 2,
    memoryGiB: 8,
    kernel: 'Linux 6.1.0',
    node: 'v20.20.2',
    versions: { tsserve: '0.1.0', nginx: '1.22.1', wrk: '4.1.0' },
  },
  run: {
    at: '2026-11-23T06:00:00.000Z',
    rounds: 2,
    seconds: 3,
    isOtherNode: false,
    upstream: 'nginx',
    missing: ['caddy: caddy is not installed'],
    problems: ['nginx, 10m, round 2: 3 socket errors'],
  },
  kinds: {
    '1k': {
      tsserve: [createSample(50_000, 110_000), createSample(70_000, 130_000)],
      nginx: [createSample(40_000, 100_000), createSample(40_000, 100_000)],
      'node:http': [createSample(20_000, 20_000), createSample(20_000, 20_000)],
    },
    proxied: {
      tsserve: [createSample(20_000, 30_000), createSample(20_000, 30_000)],
      nginx: [createSample(20_000, 60_000), createSample(20_000, 60_000)],
      haproxy: [createSample(30_000, 60_000), createSample(30_000, 60_000)],
    },
    gateway: {
      tsserve: [createSample(10_000, 45_000), createSample(10_000, 55_000)],
      nginx: [createSample(10_000, 25_000), createSample(10_000, 25_000)],
    },
  },
  growth: {
    routes: {
      '10': { tsserve: [createSample(50_000, 100_000)] },
      '10000': { tsserve: [createSample(50_000, 80_000)] },
    },
  },
  figures: { 'start-up': [310, 350, 500], 'idle-memory': [95.25] },
};
