// Starts every peer once for the files and once for each application, checks that each answers each kind of work as it
// must, and measures them.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readField } from '../support/parse-replies.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { findApplication } from './applications.ts';
import { startApplication, startUpstream } from './backends.ts';
import type { SamplesByPeer } from './bench-results.ts';
import { checkAnswer } from './check-answer.ts';
import type { Journal } from './journal.ts';
import type { BenchKind } from './kinds.ts';
import { type Job, measureJobs, type Pace } from './measure-jobs.ts';
import type { BenchPeer, BenchSite, StartedPeer } from './peers/peer.ts';
import { renderPostScript } from './run-wrk.ts';
import { siteFiles } from './site-content.ts';

/** How, and on which Node. */
export interface KindPace extends Pace {
  readonly profile: string | null;
  /** Path of the binary. */
  readonly node: string;
}

/** Samples of each kind by each peer that can do it. */
export async function measureKinds(
  kinds: readonly BenchKind[],
  peers: readonly BenchPeer[],
  pace: KindPace,
  journal: Journal,
): Promise<Record<string, SamplesByPeer>> {
  if (kinds.length === 0) return {};
  const root = createTempFolder({ ...siteFiles });
  const upstream = await startUpstream(root);
  const jobs: Job[] = [];
  const started: { readonly what: string; readonly server: StartedPeer }[] = [];
  for (const [name, group] of groupByApplication(kinds)) {
    const application = name === '' ? null : findApplication(name);
    const behind = application === null ? null : await startApplication(application, pace.node);
    const site: BenchSite = {
      root,
      upstreamPort: upstream.port,
      application: application && behind && { ...application, socketPath: behind.socketPath },
      routes: 0,
      profileFolder: pace.profile === null ? '' : createProfileFolder(pace.profile, name),
      node: pace.node,
    };
    for (const peer of peers) {
      const own = group.filter((kind) => peer.abilities.includes(kind.needs));
      if (own.length === 0) continue;
      const server = await journal.attempt(peer.name, () => peer.start(site));
      if (server === undefined) continue;
      started.push({ what: `${peer.name} at its end`, server });
      const serverPids = behind === null || peer.runsApps ? [server.pid] : [server.pid, behind.pid];
      for (const kind of own) {
        const upstreamPids = kind.needs === 'proxy' ? [upstream.pid] : [];
        const what = `${peer.name}, ${kind.name}`;
        const job = await journal.attempt(what, () => prepareJob(kind, peer.name, server.port));
        if (job !== undefined) jobs.push({ ...job, serverPids, upstreamPids });
      }
    }
  }
  const samples = await measureJobs(jobs, pace, journal);
  for (const { what, server } of started) await journal.attempt(what, () => server.stop());
  return samples;
}

/** By name of the application; '' is none. The order stays. */
function groupByApplication(kinds: readonly BenchKind[]): Map<string, BenchKind[]> {
  const groups = new Map<string, BenchKind[]>();
  for (const kind of kinds) {
    const name = kind.application ?? '';
    groups.set(name, [...(groups.get(name) ?? []), kind]);
  }
  return groups;
}

/** Each server writes into a folder of its own: one cannot tell their workers apart otherwise. */
function createProfileFolder(base: string, application: string): string {
  const folder = join(base, application === '' ? 'files' : application);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function prepareJob(
  kind: BenchKind,
  peer: string,
  port: number,
): Promise<Omit<Job, 'serverPids' | 'upstreamPids'>> {
  const { name, path, body, answer, connections } = kind;
  const fields = [...kind.fields];
  if (kind.conditional) {
    const expected = { status: 200, body: siteFiles[path.slice(1)] };
    const etag = readField(await checkAnswer(port, { path, fields }, expected), 'etag');
    if (etag === undefined) throw new Error(`there is no ETag for ${path}`);
    fields.push(`If-None-Match: ${etag}`);
  }
  await checkAnswer(port, { path, fields, body }, answer);
  const url = `http://127.0.0.1:${port}${path}`;
  return { row: name, peer, answer, order: { url, fields, connections, ...(body && writePostScript(body)) } };
}

function writePostScript(body: Buffer): { script: string } {
  const folder = createTempFolder({ body });
  const script = renderPostScript(join(folder, 'body'));
  return { script: join(createTempFolder({ 'post.lua': script }), 'post.lua') };
}
