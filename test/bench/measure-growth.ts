// Measures the steps of what grows against each other, each on a site of its own.

import { join } from 'node:path';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import type { SamplesByPeer } from './bench-results.ts';
import { checkAnswer } from './check-answer.ts';
import type { GrowthItem, GrowthStep } from './growth-items.ts';
import type { Journal } from './journal.ts';
import { type Job, measureJobs, type Pace } from './measure-jobs.ts';
import { type BenchPeer, createFileSite, type StartedPeer } from './peers/peer.ts';
import { renderWrkScript } from './run-wrk.ts';
import { type Answer, bodies } from './site-content.ts';

const hotPaths = 10;

/** Samples of each step by each peer. */
export async function measureGrowth(
  item: GrowthItem,
  allPeers: readonly BenchPeer[],
  pace: Pace & { readonly node: string },
  journal: Journal,
): Promise<Record<string, SamplesByPeer>> {
  const peers = allPeers.filter((peer) => item.peers.includes(peer.name));
  const started: StartedPeer[] = [];
  const jobs: Job[] = [];
  for (const step of item.steps) {
    const site = createStepSite(item, step);
    for (const peer of peers) {
      const server = await peer.start({ ...createFileSite(site.root, pace.node), routes: site.routes });
      started.push(server);
      for (const path of site.paths)
        await checkAnswer(server.port, { path, fields: [] }, site.answerOf(path));
      jobs.push({
        row: `${item.name} ${step.label}`,
        peer: peer.name,
        answer: site.answerOf(site.paths[0]),
        order: {
          url: `http://127.0.0.1:${server.port}/`,
          fields: [],
          connections: step.connections ?? 64,
          script: site.script,
        },
        serverPids: [server.pid],
        upstreamPids: [],
      });
    }
  }
  const samples = await measureJobs(jobs, pace, journal);
  for (const server of started) await server.stop();
  const byStep = item.steps.map((step) => [step.label, samples[`${item.name} ${step.label}`] ?? {}]);
  return Object.fromEntries(byStep);
}

interface StepSite {
  readonly root: string;
  readonly routes: number;
  readonly script: string;
  /** The ten that are asked for. */
  readonly paths: readonly string[];
  answerOf(path: string): Answer;
}

function createStepSite(item: GrowthItem, step: GrowthStep): StepSite {
  const files = step.files ?? 10;
  const routes = step.routes ?? 0;
  const root = createTempFolder();
  for (let index = 0; index < files; index++) writeFiles(root, { [`file-${index}.txt`]: bodies.oneKiB });
  const paths =
    item.asks === 'files'
      ? spreadOver(files).map((index) => `/file-${index}.txt`)
      : spreadOver(routes).map((index) => `/route-${index}/`);
  const scriptFolder = createTempFolder({ 'requests.lua': renderWrkScript(paths) });
  return {
    root,
    routes,
    paths,
    script: join(scriptFolder, 'requests.lua'),
    answerOf: (path) => ({
      status: 200,
      body:
        item.asks === 'files' ? bodies.oneKiB : Buffer.from(`route ${path.slice('/route-'.length, -1)}\n`),
    }),
  };
}

/** Ten numbers below `count`, the first and the last among them. */
export function spreadOver(count: number): number[] {
  return Array.from({ length: hotPaths }, (_, index) => Math.round((index * (count - 1)) / (hotPaths - 1)));
}
