// The clock of the bench: runs of the load generator in rounds that take turns, so that a machine that gets slower gets
// slower for all, with the CPU time of everyone before and after.

import type { Sample } from './bench-results.ts';
import { loadCore } from './cores.ts';
import type { Journal } from './journal.ts';
import { readCoreSeconds, readCpuSeconds } from './process-tree.ts';
import { runWrk, type WrkOrder, type WrkResult } from './run-wrk.ts';
import type { Answer } from './site-content.ts';

/** A kind of work, ready to be asked of one peer. */
export interface Job {
  /** Jobs with the same row are compared with each other. */
  readonly row: string;
  readonly peer: string;
  readonly order: Omit<WrkOrder, 'seconds'>;
  readonly answer: Answer;
  /** Processes whose CPU time, with that of their descendants, is the server's. */
  readonly serverPids: readonly number[];
  /** The process of the upstream, if it takes part. */
  readonly upstreamPids: readonly number[];
}

/** How long and how often. */
export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
}

/** Samples of every job, by row and peer. Each job runs for a second before the first round: for compilers and caches. */
export async function measureJobs(
  jobs: readonly Job[],
  { rounds, seconds }: Pace,
  journal: Journal,
): Promise<Record<string, Record<string, Sample[]>>> {
  const samples: Record<string, Record<string, Sample[]>> = {};
  // What fails here fails again where it counts.
  for (const job of jobs) await measureOnce(job, 1).catch(() => {});
  for (let round = 0; round < rounds; round++) {
    for (const job of orderJobs(jobs, round)) {
      const what = `${job.peer}, ${job.row}, round ${round + 1}`;
      const sample = await journal.attempt(what, () => measureOnce(job, seconds));
      if (sample === undefined) continue;
      journal.write(
        `round ${round + 1}  ${job.row.padEnd(24)} ${job.peer.padEnd(10)} ${describeSample(sample)}`,
      );
      samples[job.row] ??= {};
      samples[job.row][job.peer] ??= [];
      samples[job.row][job.peer].push(sample);
    }
  }
  return samples;
}

/** Jobs of a row one after the other; who comes first changes from round to round. */
export function orderJobs(jobs: readonly Job[], round: number): Job[] {
  const rows = [...new Set(jobs.map((job) => job.row))];
  return rows.flatMap((row) => {
    const ofRow = jobs.filter((job) => job.row === row);
    const first = round % ofRow.length;
    return [...ofRow.slice(first), ...ofRow.slice(0, first)];
  });
}

async function measureOnce(job: Job, seconds: number): Promise<Sample> {
  const before = readClocks(job);
  const result = await runWrk({ ...job.order, seconds });
  const after = readClocks(job);
  const problem = findProblem(result, job.answer);
  if (problem !== null) throw new Error(problem);
  const wallSeconds = (after.wallMs - before.wallMs) / 1000;
  // CPU time is counted in steps of 10 ms: a server that used less than one has used an unknown part of one.
  const serverSeconds = Math.max(after.server - before.server, 0.01);
  return {
    requestsPerSecond: result.requestsPerSecond,
    requestsPerCpuSecond: result.requests / serverSeconds,
    serverShare: serverSeconds / wallSeconds,
    loadShare: (after.load - before.load) / wallSeconds,
    upstreamShare: (after.upstream - before.upstream) / wallSeconds,
  };
}

function readClocks(job: Job) {
  return {
    wallMs: performance.now(),
    server: readCpuSeconds(job.serverPids),
    upstream: job.upstreamPids.length === 0 ? 0 : readCpuSeconds(job.upstreamPids),
    load: readCoreSeconds(loadCore),
  };
}

/** What was wrong with a run, or null: answers of another kind, cut connections, bytes that are missing. */
export function findProblem(result: WrkResult, answer: Answer): string | null {
  const { requests, otherStatuses, socketErrors, bytes } = result;
  const expectedOthers = answer.status >= 400 ? requests : 0;
  if (requests === 0) return 'no answers';
  if (socketErrors > 0) return `${socketErrors} socket errors`;
  if (otherStatuses !== expectedOthers)
    return `${otherStatuses} of ${requests} answers were neither 2xx nor 3xx`;
  // wrk tells three digits.
  if (bytes < 0.99 * requests * (answer.body?.length ?? 0)) return `${requests} answers in ${bytes} bytes`;
  return null;
}

function describeSample(sample: Sample): string {
  const rate = Math.round(sample.requestsPerSecond);
  const perCpuSecond = Math.round(sample.requestsPerCpuSecond);
  return `${rate}/s  ${perCpuSecond}/CPU s  core ${Math.round(sample.serverShare * 100)} %`;
}
