import { expect, it } from 'vitest';
import { findChildren, isRunning } from '../support/processes.ts';
import { countStatuses, startRequests } from '../support/send-requests.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Takes its time to start, as applications do that load a framework and connect to a database. */
const version = (text: string): string =>
  `await new Promise((resolve) => setTimeout(resolve, 100));
import { text } from './text.mjs';
export default () => new Response(${JSON.stringify(text)} + text);`;

const config = {
  workers: 1,
  upstreams: { api: { app: 'api.mjs', instances: 2 } },
  routes: [{ path: '/', proxy: 'api' }],
};

const countLines = (server: StartedServer, pattern: RegExp): number =>
  (server.process.stderr.match(new RegExp(pattern, 'g')) ?? []).length;

function startWatched(): Promise<StartedServer> {
  return startServer(config, {
    files: { 'api.mjs': version('0'), 'text.mjs': 'export const text = "";' },
    args: ['--watch'],
  });
}

it('T10: twenty saves at 500 requests a second move traffic to the new code without a lost request', async () => {
  const server = await startWatched();
  await server.process.waitForStderr(/watching for changes/);
  const load = startRequests(server.url, { senders: 16, perSecond: 500 });
  await waitUntil('answers', () => load.outcomes.some(({ status }) => status === 200));
  for (let turn = 1; turn <= 20; turn++) {
    writeFiles(server.folder, { 'api.mjs': version(String(turn)) });
    await waitUntil(`version ${turn}`, () => load.outcomes.at(-1)?.body === String(turn), 20_000);
  }
  const outcomes = await load.stop();
  expect(Object.keys(countStatuses(outcomes))).toEqual(['200']);
  // Each version in its turn, but for answers that were on their way when the next one came.
  expect(new Set(outcomes.map(({ body }) => body)).size).toBe(21);
  await waitUntil(
    'the last generation alone',
    () => findChildren(server.process.pid, 'tsserve: app').length === 2,
  );
}, 120_000);

it('a broken save keeps the old code and prints the error with its frame; the next good one mends it', async () => {
  const server = await startWatched();
  await server.process.waitForStderr(/watching for changes/);
  expect(await (await fetch(server.url)).text()).toBe('0');
  const pids = findChildren(server.process.pid, 'tsserve: app');
  writeFiles(server.folder, { 'api.mjs': `${version('1')}\nconst broken = = 1;` });
  await server.process.waitForStderr(/the old ones serve on/);
  // The place, and the line itself with a mark under it.
  await server.process.waitForStderr(/api\.mjs:4/);
  await server.process.waitForStderr(/const broken = = 1;\n.*\| +\^/);
  expect(await (await fetch(server.url)).text()).toBe('0');
  expect(pids.every(isRunning)).toBe(true);
  writeFiles(server.folder, { 'api.mjs': version('2') });
  await waitUntil('the mended code', async () => (await (await fetch(server.url)).text()) === '2');
});

it('what the application imports counts, and a save while another one comes up takes its place', async () => {
  const server = await startWatched();
  await server.process.waitForStderr(/watching for changes/);
  await (await fetch(server.url)).text();
  writeFiles(server.folder, { 'text.mjs': 'export const text = await new Promise(() => {});' });
  await server.process.waitForStderr(/text\.mjs changed, starting anew/);
  writeFiles(server.folder, { 'text.mjs': 'export const text = "!";' });
  await waitUntil('the new text', async () => (await (await fetch(server.url)).text()) === '0!');
  expect(countLines(server, /the new code serves/)).toBe(1);
});

it('a change of the config is a reload', async () => {
  const server = await startWatched();
  await server.process.waitForStderr(/watching for changes/);
  server.writeConfig({ ...config, routes: [{ path: '/', return: { status: 200, body: 'new' } }] });
  await waitUntil('the new config', async () => (await (await fetch(server.url)).text()) === 'new');
  server.writeConfig({ ...config, lisen: 1 });
  await server.process.waitForStderr(/unknown key "lisen"/);
  expect(await (await fetch(server.url)).text()).toBe('new');
  expect(countLines(server, /api\.mjs.* changed/)).toBe(0);
});

it('a reload whose new generation does not answer its probe is rolled back, and the log says why', async () => {
  const answering = (status: number, text: string) =>
    `export default (request) => new Response(${JSON.stringify(text)},
      { status: new URL(request.url).pathname === '/healthz' ? ${status} : 200 });`;
  const upstreams = {
    api: { app: 'api.mjs', ready: { path: '/healthz' }, startTimeout: '700ms', env: { A: '1' } },
  };
  const server = await startServer({ ...config, upstreams }, { files: { 'api.mjs': answering(200, 'old') } });
  expect(await (await fetch(server.url)).text()).toBe('old');
  writeFiles(server.folder, { 'api.mjs': answering(500, 'new') });
  server.writeConfig({ ...config, upstreams: { api: { ...upstreams.api, env: { B: 'secret' } } } });
  server.process.sendSignal('SIGHUP');
  await server.process.waitForStderr(/reloaded: .*but not all applications came up/);
  await server.process.waitForStderr(/not ready within 700 ms: GET \/healthz was answered 500/);
  await server.process.waitForStderr(/upstream api: the new instances do not start; the old ones serve on/);
  await server.process.waitForStderr(/upstream api: environment \+B -A/);
  expect(server.process.stderr).not.toMatch(/secret/);
  expect(await (await fetch(server.url)).text()).toBe('old');
});
