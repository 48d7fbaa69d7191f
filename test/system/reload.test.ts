import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, test } from 'vitest';
import { runLoad } from '../support/load.ts';
import { startTsserve } from '../support/run-tsserve.ts';
import { startServer } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const app = 'export default (): Response => new Response("app", { headers: { "X-App": "1" } });';

describe('a signal that goes to every process', () => {
  it.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const)(
    '%s: no worker ends, and none opens a debugger',
    async (signal) => {
      const server = await startServer({ workers: 1, routes: [{ path: '/', return: 204 }] });
      const { pid } = server.process;
      const worker = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
      process.kill(Number(worker), signal);
      await sleep(300);
      expect((await fetch(server.url)).status).toBe(204);
      expect(server.process.stderr).not.toMatch(/Debugger|worker \d+ ended/);
    },
  );
});

describe('a signal in the first moments', () => {
  const site = { listen: '127.0.0.1:0', workers: 1, routes: [{ path: '/', return: 204 }] };
  const start = () =>
    startTsserve(['-c', join(createTempFolder({ 'site.json': JSON.stringify(site) }), 'site.json')]);

  /** Waits until a process does not leave SIGHUP to its default action any more. */
  const waitUntilCaught = (pid: number) =>
    waitUntil(`${pid} catches signals`, () => {
      const [, mask] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return (BigInt(`0x${mask}`) & 1n) === 1n;
    });

  it('SIGHUP: the site is reloaded when it has started', async () => {
    const server = start();
    await waitUntilCaught(server.pid);
    server.sendSignal('SIGHUP');
    await server.waitForStderr(/reloaded: /);
  });

  it('SIGHUP to a worker: it starts nevertheless', async () => {
    const server = start();
    const findWorker = () => readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim();
    await waitUntil('a worker', () => findWorker() !== '');
    await waitUntilCaught(Number(findWorker()));
    process.kill(Number(findWorker()), 'SIGHUP');
    await server.waitForStderr(/serving http/);
    expect(server.stderr).not.toMatch(/\[error\]/);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('%s: the server ends without ado', async (signal) => {
    const server = start();
    await waitUntilCaught(server.pid);
    expect(await server.stop(signal)).toEqual({ code: 0, signal: null });
    expect(server.stderr).not.toMatch(/\[(error|crit)\]/);
  });
});

test('a worker that dies is replaced though the folder of the access log is gone', async () => {
  const server = await startServer(
    { workers: 1, accessLog: 'logs/access.log', routes: [{ path: '/', return: 204 }] },
    { files: { 'logs/.keep': '' } },
  );
  rmSync(`${server.folder}/logs`, { recursive: true });
  const { pid } = server.process;
  process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()), 'SIGKILL');
  await server.process.waitForStderr(/no access log until the next reload/);
  expect((await fetch(server.url)).status).toBe(204);
});

describe('a reload', () => {
  it('ten times under load: no request fails, to files or to applications', async () => {
    const config = (generation: number) => ({
      workers: 2,
      upstreams: { api: { app: 'api.ts', instances: 2 } },
      headers: { 'X-Generation': String(generation) },
      routes: [
        { path: '/api/', proxy: 'api' },
        { path: '/', static: 'public' },
      ],
    });
    const server = await startServer(config(0), { files: { 'api.ts': app, 'public/a.txt': 'file' } });
    await fetch(`${server.url}/api/`);
    let loading = true;
    const results = ['/a.txt', '/api/'].map(async (path) => {
      const statuses: Record<string, number> = {};
      const failures: string[] = [];
      const generations = new Set<string>();
      while (loading) {
        const countField = 'x-generation';
        const result = await runLoad({ port: server.port, path, requests: 400, connections: 8, countField });
        for (const [status, count] of Object.entries(result.statuses))
          statuses[status] = (statuses[status] ?? 0) + count;
        for (const generation of Object.keys(result.counts)) generations.add(generation);
        failures.push(...result.failures);
      }
      return { statuses: Object.keys(statuses), failures, generations: generations.size };
    });
    for (let generation = 1; generation <= 10; generation++) {
      server.writeConfig(config(generation));
      server.process.sendSignal('SIGHUP');
      await waitUntil(
        'the reload is over',
        () => (server.process.stderr.match(/\] \d+#0: reloaded/g) ?? []).length === generation,
        15_000,
      );
      await sleep(100);
    }
    loading = false;
    for (const result of await Promise.all(results)) {
      expect(result.failures).toEqual([]);
      expect(result.statuses).toEqual(['200']);
      expect(result.generations).toBeGreaterThan(5);
    }
    expect((await fetch(`${server.url}/a.txt`)).headers.get('x-generation')).toBe('10');
  }, 120_000);

  it('with a broken config changes nothing and prints each problem with its line', async () => {
    const routes = [{ path: '/', return: { status: 200, body: 'old' } }];
    const server = await startServer({ workers: 1, routes });
    server.writeConfig({ workers: 1, routes: [{ path: '/', proxy: 'nowhere' }], lisen: 1 });
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/unknown key "lisen"/);
    await server.process.waitForStderr(/site\.json:\d+:\d+: .*nowhere/);
    expect(await (await fetch(server.url)).text()).toBe('old');
    server.writeConfig({ workers: 1, routes: [{ path: '/', return: { status: 200, body: 'new' } }] });
    server.process.sendSignal('SIGHUP');
    await waitUntil(
      'the new config is served',
      async () => (await (await fetch(server.url)).text()) === 'new',
    );
  });

  it('T13: leaves requests that are under way on their old route to their end', async () => {
    const slow =
      'export default async () => { await new Promise((r) => setTimeout(r, 1500)); return new Response("slow"); };';
    const server = await startServer(
      { workers: 1, upstreams: { api: { app: 'api.mjs' } }, routes: [{ path: '/', proxy: 'api' }] },
      { files: { 'api.mjs': slow } },
    );
    const pending = fetch(server.url);
    await sleep(700);
    server.writeConfig({ workers: 1, routes: [{ path: '/', return: 404 }] });
    server.process.sendSignal('SIGHUP');
    await waitUntil('the new config is served', async () => (await fetch(server.url)).status === 404);
    expect(await (await pending).text()).toBe('slow');
  });

  it('T10: new code of an application takes over without a gap; code that does not start leaves the old one serving', async () => {
    const version = (text: string) =>
      `await new Promise((r) => setTimeout(r, 400)); export default () => new Response(${JSON.stringify(text)});`;
    const config = {
      workers: 1,
      upstreams: { api: { app: 'api.mjs', instances: 2 } },
      routes: [{ path: '/', proxy: 'api' }],
    };
    const server = await startServer(config, { files: { 'api.mjs': version('one') } });
    expect(await (await fetch(server.url)).text()).toBe('one');
    writeFiles(server.folder, { 'api.mjs': version('two') });
    server.process.sendSignal('SIGHUP');
    await waitUntil('the new code answers', async () => (await (await fetch(server.url)).text()) === 'two');
    writeFiles(server.folder, { 'api.mjs': 'throw new Error("broken save");' });
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/broken save[\s\S]*old ones serve on/, 15_000);
    expect(await (await fetch(server.url)).text()).toBe('two');
  });
});

describe('a death', () => {
  it('of a front worker loses no listener: another takes its place', async () => {
    const server = await startServer({
      workers: 1,
      routes: [{ path: '/', return: { status: 200, body: 'x' } }],
    });
    const pid = server.process.pid;
    const [worker] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(worker), 'SIGKILL');
    // Not refused: the socket is the master's, and the connection waits for the next worker.
    expect((await fetch(server.url)).status).toBe(200);
    await server.process.waitForStderr(/SIGKILL/);
  });

  it('of the master takes everything with it', async () => {
    const server = await startServer(
      {
        workers: 2,
        upstreams: { api: { app: 'api.ts', instances: 2 } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.ts': app } },
    );
    await fetch(server.url);
    const pid = server.process.pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    expect(children).toHaveLength(4);
    process.kill(pid, 'SIGKILL');
    await waitUntil('no child is left', () => children.every((child) => !existsSync(`/proc/${child}`)));
    await server.process.exit;
  });
});
