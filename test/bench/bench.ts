// Side by side on one core: tsserve, nginx, HAProxy, Caddy (those that are installed) and node:http, with the CPU time
// each of them used; what growth costs; start-up and memory. `npm run bench -- --help` lists what can be chosen.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cleanUpNow } from '../support/clean-up.ts';
import { findTool } from '../support/find-tool.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type BenchApplication, benchApplications } from './applications.ts';
import { describeUpstream } from './backends.ts';
import { type BenchOptions, benchUsage, parseBenchArguments } from './bench-arguments.ts';
import type { BenchResults } from './bench-results.ts';
import { pinThisProcess } from './cores.ts';
import { benchFigures } from './figures.ts';
import { growthItems } from './growth-items.ts';
import { Journal } from './journal.ts';
import { benchKinds } from './kinds.ts';
import { describeMachine } from './machine.ts';
import { measureGrowth } from './measure-growth.ts';
import { measureKinds } from './measure-kinds.ts';
import { benchPeers } from './peers/bench-peers.ts';
import type { BenchPeer } from './peers/peer.ts';
import { renderProfiles } from './summarize-profile.ts';
import { nameDocument, renderDocument, renderReport } from './tables/render-report.ts';
import { summarizeKinds } from './tables/summarize.ts';

const journal = new Journal((line) => process.stderr.write(`${line}\n`));

try {
  const options = parseBenchArguments(process.argv.slice(2));
  if (options === null) process.stdout.write(benchUsage);
  else await runBench(options);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
} finally {
  await cleanUpNow();
}

async function runBench(options: BenchOptions): Promise<void> {
  requireMachine();
  pinThisProcess();
  // Each server under way is ended with this process: there are more than Node thinks usual.
  process.setMaxListeners(0);
  if (options.profile !== null) mkdirSync(options.profile, { recursive: true });
  const results = await measureAll(options);
  process.stdout.write(`\n${renderReport(results)}`);
  if (options.profile !== null) process.stdout.write(`\n${renderProfiles(options.profile)}`);
  if (options.json !== null)
    writeFileSync(
      options.json,
      `${JSON.stringify({ ...results, summary: summarizeKinds(results.kinds) }, null, 2)}\n`,
    );
  if (options.write) writeFileSync(join(repositoryRoot, nameDocument(results)), renderDocument(results));
  if (journal.problems.length > 0) process.exitCode = 1;
}

function requireMachine(): void {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc: it needs Linux');
  for (const tool of ['wrk', 'taskset']) {
    if (findTool(tool) === null) throw new Error(`${tool} is not installed`);
  }
  if (cpus().length < 2) throw new Error('the bench needs two cores: one for the server, one for the load');
}

async function measureAll(options: BenchOptions): Promise<BenchResults> {
  const startedAt = new Date().toISOString();
  const missing: string[] = [];
  const peers = benchPeers.filter((peer) => options.peers.includes(peer.name) && isAble(peer, missing));
  const isChosen = (row: { name: string }) => options.rows.includes(row.name);
  const chosenKinds = benchKinds.filter(isChosen);
  const applications = benchApplications.filter(
    (each) => chosenKinds.some(({ application }) => application === each.name) && isAble(each, missing),
  );
  const ableNames = [undefined, ...applications.map((each) => each.name)];
  const ableKinds = chosenKinds.filter(({ application }) => ableNames.includes(application));
  const kinds = await measureKinds(ableKinds, peers, options, journal);
  const growth: Record<string, BenchResults['growth'][string]> = {};
  for (const item of growthItems.filter(isChosen)) {
    const what = `growth of ${item.name}`;
    const bySteps = await journal.attempt(what, () => measureGrowth(item, peers, options, journal));
    if (bySteps !== undefined) growth[item.name] = bySteps;
  }
  const figures = peers.some((peer) => peer.name === 'tsserve') ? await measureFigures(options) : {};
  return {
    machine: describeMachine(peers, applications, options.node),
    run: {
      at: startedAt,
      rounds: options.rounds,
      seconds: options.seconds,
      isOtherNode: options.node !== process.execPath,
      upstream: describeUpstream(),
      missing,
      problems: journal.problems,
    },
    kinds,
    growth,
    figures,
  };
}

/** Whether a peer or an application can take part. */
function isAble(who: BenchPeer | BenchApplication, missing: string[]): boolean {
  const obstacle = who.findObstacle();
  if (obstacle === null) return true;
  missing.push(`${who.name}: ${obstacle}`);
  journal.write(`without ${who.name}: ${obstacle}`);
  return false;
}

async function measureFigures({ rows, quick, node }: BenchOptions): Promise<Record<string, number[]>> {
  const figures: Record<string, number[]> = {};
  for (const { name, title, unit, times, measure } of benchFigures) {
    if (!rows.includes(name)) continue;
    figures[name] = [];
    for (let time = 0; time < (quick ? Math.ceil(times / 3) : times); time++) {
      const value = await journal.attempt(name, () => measure(node));
      if (value === undefined) continue;
      journal.write(`${title}: ${value.toFixed(1)} ${unit}`);
      figures[name].push(value);
    }
  }
  return figures;
}
