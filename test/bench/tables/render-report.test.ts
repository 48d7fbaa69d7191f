import { describe, expect, test } from 'vitest';
import { cannedResults } from './canned-results.ts';
import { nameDocument, renderDocument, renderReport } from './render-report.ts';
import { findMedian, spreadOf, summarizeKinds } from './summarize.ts';

/** The cells of the row that begins so, in the first table after a heading of the document. */
function readRow(heading: string, first: string): string[] {
  const section = renderDocument(cannedResults).split(`## ${heading}`)[1].split('\n## ')[0];
  const line = section.split('\n').find((each) => each.startsWith(`| ${first}`)) ?? '';
  return line
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

describe('docs/performance.md', () => {
  test('holds ours against nginx and the target, by the ratio per CPU second', () => {
    expect(readRow('tsserve and nginx', '1 KiB file')).toEqual([
      '60,000',
      '40,000',
      '1.50',
      '120,000',
      '100,000',
      '1.20',
      '1.30',
      '17 %',
      '>= 1.1',
      'yes',
    ]);
    // As many requests a second, for twice the CPU time.
    expect(readRow('tsserve and nginx', 'small proxied')).toEqual([
      '20,000',
      '20,000',
      '1.00',
      '30,000',
      '60,000',
      '0.50',
      '0.50',
      '0 %',
      '>= 0.85',
      'no',
    ]);
  });

  test('tells the CPU seconds of an application, the fewer the better, and the ratio of the best rounds', () => {
    const cells = ['2.00 (0.50)', '4.00', '0.45', '<= 0.75'];
    expect(readRow('CPU time of applications (ratio to nginx)', 'gateway')).toEqual(cells);
    expect(readRow('tsserve and nginx', 'gateway').slice(-2)).toEqual(['CPU <= 0.75', 'yes']);
  });

  test('shows everyone in one order, with a dash for who took no part', () => {
    expect(readRow('Everyone: requests a second', 'work')).toEqual([
      'tsserve',
      'nginx',
      'haproxy',
      'node:http',
    ]);
    expect(readRow('Everyone: requests a second', '1 KiB file')).toEqual([
      '60,000 (1.50)',
      '40,000',
      '-',
      '20,000 (0.50)',
    ]);
    expect(readRow('Core used', 'small proxied')).toEqual(['50 %', '50 %', '50 %', '-', '90 %', '25 %']);
  });

  test('shows growth beside its reference, and figures beside their limits', () => {
    expect(readRow('Cost of growth', '10,000 routes')).toEqual(['50,000', '1.00', '80,000', '0.80', '50 %']);
    expect(readRow('Start-up and memory', 'start-up')).toEqual(['350', '310', '500', '3', '<= 400', 'yes']);
    expect(readRow('Start-up and memory', 'resident')).toEqual(['95.3', '95.3', '95.3', '1', '<= 90', 'no']);
  });

  test('says on what, when, without whom, and how to do it again', () => {
    const document = renderDocument(cannedResults);
    for (const words of [
      'Imaginary 9000, 2 cores',
      'Linux 6.1.0',
      'v20.20.2',
      'tsserve 0.1.0, nginx 1.22.1, wrk 4.1.0',
      'caddy is not installed',
      'nginx, 10m, round 2: 3 socket errors',
      '2026-11-23',
      'npm run bench -- --rounds 2 --seconds 3 --write',
    ]) {
      expect(document).toContain(words);
    }
    expect(document).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('is another one for another Node, and says so', () => {
    expect(nameDocument(cannedResults)).toBe('docs/performance.md');
    const { machine, run } = cannedResults;
    const results = {
      ...cannedResults,
      machine: { ...machine, node: 'v24.1.0' },
      run: { ...run, isOtherNode: true },
    };
    expect(nameDocument(results)).toBe('docs/performance-node-24.md');
    expect(renderDocument(results)).toContain('# Performance on Node 24\n');
    expect(renderDocument(results)).toContain('--seconds 3 --node PATH --write');
  });

  test('has tables whose rows are as wide as their heads', () => {
    for (const block of renderDocument(cannedResults).split('\n\n')) {
      if (!block.startsWith('|')) continue;
      const widths = block
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
  });
});

describe('the report on the terminal', () => {
  test('leaves out what was not measured', () => {
    const report = renderReport({ ...cannedResults, kinds: {}, growth: {} });
    expect(report).toContain('start-up of the whole server');
    expect(report).not.toContain('Cost of growth');
    expect(report).not.toContain('Core used\n');
  });

  test('gives no ratio and no verdict without nginx', () => {
    const { tsserve } = cannedResults.kinds['1k'];
    const report = renderReport({ ...cannedResults, kinds: { '1k': { tsserve } }, growth: {}, figures: {} });
    expect(report).toMatch(/^1 KiB file, bare request +60,000 +- +- +120,000 +- +- +- +17 % +>= 1\.1 +-$/m);
  });
});

test('a median is the middle, a spread from end to end in hundredths of it', () => {
  expect(findMedian([3, 100, 1])).toBe(3);
  expect(findMedian([4, 1, 2, 3])).toBe(2.5);
  expect(spreadOf([90, 100, 120])).toBe(30);
});

test('a summary has medians and best rounds, and ratios where nginx took part', () => {
  const { gateway, '1k': file } = summarizeKinds(cannedResults.kinds);
  expect(gateway.tsserve).toEqual({
    requestsPerSecond: 10_000,
    requestsPerCpuSecond: 50_000,
    ratio: 2,
    bestRequestsPerCpuSecond: 55_000,
    bestRatio: 2.2,
  });
  expect(file['node:http'].ratio).toBe(0.2);
  const { tsserve } = cannedResults.kinds['1k'];
  const alone = summarizeKinds({ '1k': { tsserve } })['1k'].tsserve;
  expect(alone).toMatchObject({ ratio: undefined, bestRatio: undefined, bestRequestsPerCpuSecond: 130_000 });
});
