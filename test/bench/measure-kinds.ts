// Starts every peer once, checks that each answers each kind of work as it must, and measures them.

import { readField } from '../support/parse-replies.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { startNodeApp, startUpstream } from './backends.ts';
import type { SamplesByPeer } from './bench-results.ts';
import { checkAnswer } from './check-answer.ts';
import type { Journal } from './journal.ts';
import type { BenchKind } from './kinds.ts';
import { type Job, measureJobs, type Pace } from './measure-jobs.ts';
import type { BenchPeer, StartedPeer } from './peers/peer.ts';
import { siteFiles } from './site-content.ts';

/** Samples of each kind by each peer that can do it. */
export async function measureKinds(
  kinds: readonly BenchKind[],
  peers: readonly BenchPeer[],
  pace: Pace & { readonly profile: string | null },
  journal: Journal,
): Promise<Record<string, SamplesByPeer>> {
  if (kinds.length === 0) return {};
  const root = createTempFolder({ ...siteFiles });
  const upstream = await startUpstream(root);
  const app = await startNodeApp();
  const site = {
    root,
    upstreamPort: upstream.port,
    appSocket: app.socketPath,
    routes: 0,
    profileFolder: pace.profile ?? '',
  };
  const started = new Map<BenchPeer, StartedPeer>();
  for (const peer of peers) {
    const server = await journal.attempt(peer.name, () => peer.start(site));
    if (server !== undefined) started.set(peer, server);
  }
  const jobs: Job[] = [];
  for (const kind of kinds) {
    for (const [peer, { port, pid }] of started) {
      if (!peer.abilities.includes(kind.needs)) continue;
      const usesApp = kind.needs === 'app' && !peer.runsApps;
      const serverPids = usesApp ? [pid, app.pid] : [pid];
      const upstreamPids = kind.needs === 'proxy' ? [upstream.pid] : [];
      const what = `${peer.name}, ${kind.name}`;
      const job = await journal.attempt(what, () => prepareJob(kind, peer.name, port));
      if (job !== undefined) jobs.push({ ...job, serverPids, upstreamPids });
    }
  }
  const samples = await measureJobs(jobs, pace, journal);
  for (const [peer, server] of started) await journal.attempt(`${peer.name} at its end`, () => server.stop());
  return samples;
}

async function prepareJob(
  kind: BenchKind,
  peer: string,
  port: number,
): Promise<Omit<Job, 'serverPids' | 'upstreamPids'>> {
  const { name, path, answer, connections } = kind;
  const fields = [...kind.fields];
  if (kind.conditional) {
    const whole = await checkAnswer(port, path, fields, { status: 200, body: siteFiles[path.slice(1)] });
    const etag = readField(whole, 'etag');
    if (etag === undefined) throw new Error(`there is no ETag for ${path}`);
    fields.push(`If-None-Match: ${etag}`);
  }
  await checkAnswer(port, path, fields, answer);
  const url = `http://127.0.0.1:${port}${path}`;
  return { row: name, peer, answer, order: { url, fields, connections } };
}
