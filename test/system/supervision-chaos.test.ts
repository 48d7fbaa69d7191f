import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findChildren, isRunning } from '../support/processes.ts';
import { countStatuses, type RunningLoad, startRequests } from '../support/send-requests.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Everything that can go wrong in an application, on demand. Heeds no SIGTERM. Notes the id of each POST it gets. */
const app = `
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
const place = (name) => new URL('./' + name, import.meta.url);
process.on('SIGTERM', () => {});
if (existsSync(place('bad-starts'))) {
  const left = Number(readFileSync(place('bad-starts'), 'utf8'));
  writeFileSync(place('bad-starts'), String(left - 1));
  if (left > 0) process.exit(1);
}
const kept = [];
const trouble = {
  '/throw': () => setTimeout(() => { throw new Error('nobody catches this'); }),
  '/exit': () => process.exit(7),
  '/abort': () => process.abort(),
  '/hang': () => { for (;;) JSON.parse('{}'); },
  '/leak': () => { for (let i = 0; i < 6; i++) kept.push(Buffer.alloc(40e6, 1)); },
  '/never': () => new Promise(() => setInterval(() => {}, 1000)),
};
export default async (request) => {
  const { pathname } = new URL(request.url);
  if (request.method === 'POST') appendFileSync(place('posts'), request.headers.get('x-id') + '\\n');
  await new Promise((resolve) => setTimeout(resolve, 3));
  await trouble[pathname]?.();
  return new Response(String(process.pid));
};`;

const listInstances = ({ process: { pid } }: StartedServer): number[] => findChildren(pid, 'tsserve: app');

/** Waits until so many instances answer that none of the \`gone\` is among them. */
async function recover(gets: RunningLoad, gone: readonly number[], count: number): Promise<void> {
  const from = gets.outcomes.length;
  await waitUntil(
    `${count} instances answer`,
    () => {
      const answering = new Set(gets.outcomes.slice(from).map(({ body }) => Number(body)));
      return [...answering].filter((pid) => !gone.includes(pid) && isRunning(pid)).length >= count;
    },
    20_000,
  );
}

it('whatever becomes of instances, one after the other: no GET is lost, no POST comes twice', async () => {
  const upstream = {
    app: 'api.mjs',
    instances: 3,
    hangTimeout: '600ms',
    maxMemory: '250m',
    drainTimeout: '1s',
  };
  const server = await startServer(
    { workers: 2, upstreams: { api: upstream }, routes: [{ path: '/', proxy: 'api' }] },
    { files: { 'api.mjs': app } },
  );
  await (await fetch(server.url)).text();
  const gets = startRequests(server.url, { senders: 8 });
  const posts = startRequests(server.url, { method: 'POST', senders: 4 });
  await recover(gets, [], 3);
  for (const path of ['/throw', '/exit', '/hang', '/abort', '/leak']) {
    const before = listInstances(server);
    await fetch(`${server.url}${path}`, { method: 'POST', headers: { 'X-Id': path } }).catch(() => {});
    await waitUntil(`${path} ends one`, () => before.some((pid) => !isRunning(pid)), 20_000);
    await recover(
      gets,
      before.filter((pid) => !isRunning(pid)),
      3,
    );
  }
  // Three starts fail on the way.
  writeFiles(server.folder, { 'bad-starts': '3' });
  for (const signal of ['SIGKILL', 'SIGSEGV'] as const) {
    const [victim] = listInstances(server);
    process.kill(victim, signal);
    await recover(gets, [victim], 3);
  }
  // Old instances that neither finish nor heed.
  const before = listInstances(server);
  const never = fetch(`${server.url}/never`, { method: 'POST', headers: { 'X-Id': 'never' } }).catch(
    () => {},
  );
  await waitUntil('it has begun', () => readFileSync(`${server.folder}/posts`, 'utf8').includes('never'));
  server.process.sendSignal('SIGHUP');
  await waitUntil('their end', () => !before.some(isRunning), 20_000);
  await recover(gets, before, 3);
  await never;
  const got = await gets.stop();
  expect(Object.keys(countStatuses(got))).toEqual(['200']);
  const posted = await posts.stop();
  const seen = readFileSync(`${server.folder}/posts`, 'utf8').trim().split('\n');
  expect(seen.filter((id, at) => seen.indexOf(id) !== at)).toEqual([]);
  const seenIds = new Set(seen);
  for (const { id, status } of posted) if (status === 200) expect(seenIds).toContain(id);
  // Those that met a death are told so; they are few.
  expect(posted.filter(({ status }) => status !== 200).length).toBeLessThan(60);
  expect(got.length).toBeGreaterThan(500);
}, 120_000);
