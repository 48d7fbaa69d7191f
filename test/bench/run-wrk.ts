// One run of wrk, and what it said.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { loadCore, pinTo } from './cores.ts';

/** What to ask of whom, and for how long. */
export interface WrkOrder {
  readonly url: string;
  readonly fields: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** A script in Lua that makes the requests, where they differ. */
  readonly script?: string;
}

/** What a run came to. */
export interface WrkResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
  /** Bytes of the answers, as exact as wrk's three digits. */
  readonly bytes: number;
  /** Answers that were neither 2xx nor 3xx. */
  readonly otherStatuses: number;
  /** Connections refused, cut or timed out. */
  readonly socketErrors: number;
}

/** Runs wrk with one thread on the core of the load. */
export async function runWrk(order: WrkOrder): Promise<WrkResult> {
  const [taskset, ...rest] = [
    ...pinTo(loadCore),
    'wrk',
    '-t1',
    `-c${order.connections}`,
    `-d${order.seconds}s`,
    '--timeout=20s',
    ...order.fields.flatMap((field) => ['-H', field]),
    ...(order.script === undefined ? [] : ['-s', order.script]),
    order.url,
  ];
  const { stdout } = await promisify(execFile)(taskset, rest);
  return parseWrkOutput(stdout);
}

/** Reads wrk's report. Throws when the figures are not there. */
export function parseWrkOutput(text: string): WrkResult {
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(text);
  const totals = /^\s+(\d+) requests in [^,]+, ([\d.]+)(B|KB|MB|GB|TB) read$/m.exec(text);
  if (rate === null || totals === null) throw new Error(`wrk said something else:\n${text}`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const unit = 1024 ** ['B', 'KB', 'MB', 'GB', 'TB'].indexOf(totals[3]);
  return {
    requestsPerSecond: Number(rate[1]),
    requests: Number(totals[1]),
    bytes: Number(totals[2]) * unit,
    otherStatuses: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
    socketErrors: (errors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0),
  };
}

/** A script that sends the bytes of a file with POST. */
export function renderPostScript(file: string): string {
  return `local file = assert(io.open(${JSON.stringify(file)}, "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
`;
}

/** A script that asks for these paths in turn. Made once for each path: formatting is no part of the load. */
export function renderWrkScript(paths: readonly string[]): string {
  return `local paths = { ${paths.map((path) => JSON.stringify(path)).join(', ')} }
local requests = {}
local at = 0
init = function()
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
`;
}
