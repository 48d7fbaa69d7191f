// Side by side on one core: tsserve, node:http and nginx (when installed), in rounds that take turns, so that a machine
// that gets slower gets slower for all. Run by `npm run bench -- [--seconds 5] [--rounds 3] [--only 1k,proxied] [--json F]`.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { cleanUpNow } from '../support/clean-up.ts';
import { findTool } from '../support/find-tool.ts';
import { parseReplies, readField } from '../support/parse-replies.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { type BenchKind, benchKinds } from './kinds.ts';
import { type BenchPeer, benchPeers, startTinyUpstream } from './peers.ts';
import { renderTable } from './report.ts';
import { runWrk } from './run-wrk.ts';

/** A kind of work, ready to be asked of one peer. */
interface Job {
  readonly kind: BenchKind;
  readonly peer: string;
  readonly port: number;
  readonly fields: readonly string[];
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    peers: { type: 'string' },
    json: { type: 'string' },
  },
});

try {
  await runBench();
} finally {
  await cleanUpNow();
}

async function runBench(): Promise<void> {
  for (const tool of ['wrk', 'taskset']) {
    if (findTool(tool) === null) throw new Error(`${tool} is not installed`);
  }
  if (cpus().length < 2) throw new Error('the bench needs two cores: one for the server, one for the load');
  const kinds = choose(benchKinds, options.only);
  const peers = choose(benchPeers, options.peers).filter(isAble);
  const jobs = await prepareJobs(kinds, peers);
  const measurements = await measure(jobs, Number(options.rounds), Number(options.seconds));
  const table = renderTable(
    measurements,
    peers.map((peer) => peer.name),
  );
  process.stdout.write(`\nMedians of ${options.rounds} rounds of ${options.seconds} s:\n${table}\n`);
  if (options.json !== undefined) writeJson(options.json, measurements);
}

function choose<T extends { name: string }>(rows: readonly T[], names: string | undefined): T[] {
  if (names === undefined) return [...rows];
  return names.split(',').map((name) => {
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined)
      throw new Error(`"${name}" is none of ${rows.map((each) => each.name).join(', ')}`);
    return row;
  });
}

function isAble(peer: BenchPeer): boolean {
  const obstacle = peer.findObstacle();
  if (obstacle !== null) process.stderr.write(`without ${peer.name}: ${obstacle}\n`);
  return obstacle === null;
}

/** Starts every peer and checks that each answers each kind of work as it must. */
async function prepareJobs(kinds: readonly BenchKind[], peers: readonly BenchPeer[]): Promise<Job[]> {
  const root = createTempFolder({ '1k.txt': '0123456789abcde\n'.repeat(64) });
  const site = { root, upstreamPort: await startTinyUpstream() };
  const jobs: Job[] = [];
  for (const peer of peers) {
    const port = await peer.start(site);
    for (const kind of kinds) jobs.push(await prepareJob(kind, peer.name, port));
  }
  return jobs;
}

async function prepareJob(kind: BenchKind, peer: string, port: number): Promise<Job> {
  const fields = [...kind.fields];
  if (kind.conditional) {
    const etag = readField(await askOnce(port, kind.path, fields), 'etag');
    if (etag === undefined) throw new Error(`${peer} gives no ETag for ${kind.path}`);
    fields.push(`If-None-Match: ${etag}`);
  }
  const reply = await askOnce(port, kind.path, fields);
  const isRight = reply.status === kind.status && (kind.bodyBytes ?? reply.body.length) === reply.body.length;
  if (!isRight || !reply.complete) {
    throw new Error(`${peer} answers "${kind.name}" with ${reply.status} and ${reply.body.length} bytes`);
  }
  return { kind, peer, port, fields };
}

async function askOnce(port: number, path: string, fields: readonly string[]) {
  const raw = await openRawSocket(port);
  await raw.send(`${[`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...fields].join('\r\n')}\r\n\r\n`);
  await raw.readReplies(1);
  raw.destroy();
  return parseReplies(raw.received, [], false)[0];
}

/** Every job once in each round; jobs of one kind follow each other. */
async function measure(jobs: readonly Job[], rounds: number, seconds: number) {
  const measurements: Record<string, Record<string, number[]>> = {};
  const byKind = [...jobs].sort((a, b) => benchKinds.indexOf(a.kind) - benchKinds.indexOf(b.kind));
  for (let round = 1; round <= rounds; round++) {
    for (const job of byKind) {
      const rate = await measureOnce(job, seconds);
      process.stderr.write(
        `round ${round}  ${job.kind.name.padEnd(12)} ${job.peer.padEnd(10)} ${Math.round(rate)}\n`,
      );
      measurements[job.kind.name] ??= {};
      measurements[job.kind.name][job.peer] ??= [];
      measurements[job.kind.name][job.peer].push(rate);
    }
  }
  return measurements;
}

async function measureOnce({ kind, peer, port, fields }: Job, seconds: number): Promise<number> {
  const result = await runWrk(`http://127.0.0.1:${port}${kind.path}`, fields, seconds);
  const expectedOthers = kind.status >= 400 ? result.requests : 0;
  if (result.socketErrors > 0) throw new Error(`${peer}, ${kind.name}: ${result.socketErrors} socket errors`);
  if (result.otherStatuses !== expectedOthers) {
    throw new Error(
      `${peer}, ${kind.name}: ${result.otherStatuses} of ${result.requests} answers were wrong`,
    );
  }
  return result.requestsPerSecond;
}

function writeJson(file: string, measurements: Awaited<ReturnType<typeof measure>>): void {
  const facts = { node: process.version, cpu: cpus()[0].model, at: new Date().toISOString() };
  writeFileSync(file, `${JSON.stringify({ ...facts, measurements }, null, 2)}\n`);
}
