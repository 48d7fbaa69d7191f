// One run of wrk, and what it said.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a run came to. */
export interface WrkResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
  /** Answers that were neither 2xx nor 3xx. */
  readonly otherStatuses: number;
  /** Connections refused, cut or timed out. */
  readonly socketErrors: number;
}

/** Runs wrk on the second core: one thread, 64 connections. */
export async function runWrk(url: string, fields: readonly string[], seconds: number): Promise<WrkResult> {
  const { stdout } = await promisify(execFile)('taskset', [
    '-c',
    '1',
    'wrk',
    '-t1',
    '-c64',
    `-d${seconds}s`,
    ...fields.flatMap((field) => ['-H', field]),
    url,
  ]);
  return parseWrkOutput(stdout);
}

/** Reads wrk's report. Throws when the figures are not there. */
export function parseWrkOutput(text: string): WrkResult {
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(text);
  const requests = /^\s+(\d+) requests in/m.exec(text);
  if (rate === null || requests === null) throw new Error(`wrk said something else:\n${text}`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  return {
    requestsPerSecond: Number(rate[1]),
    requests: Number(requests[1]),
    otherStatuses: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
    socketErrors: (errors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0),
  };
}
