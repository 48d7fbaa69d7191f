import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { findFreePort } from '../support/free-port.ts';
import { runTsserve, startTsserve } from '../support/run-tsserve.ts';
import { startServer, waitUntilListening } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const routes = [{ path: '/', return: { status: 200, body: 'x' } }];

describe('tsserve -t', () => {
  it('says that a good config is good, and exits 0', async () => {
    const folder = createTempFolder({ 'site.json': JSON.stringify({ routes }) });
    const result = await runTsserve(['-t', '-c', join(folder, 'site.json')]);
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toMatch(/syntax is ok\n.*test is successful\n$/);
    expect(await runTsserve(['-q', '-t', '-c', join(folder, 'site.json')])).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  it('T29: prints all problems at once, each with file, line, column, source and caret, and exits 2', async () => {
    const folder = createTempFolder({
      'site.json':
        '{\n  "lisen": 8080,\n  "upstreams": { "api": { "servers": ["http://127.0.0.1:1"] } },\n  "routes": [{ "path": "/", "proxy": "apo" }, { "path": "~ (", "return": 204 }]\n}\n',
    });
    const result = await runTsserve(['-t', '-c', 'site.json'], { cwd: folder });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('site.json:2:3: unknown key "lisen" (did you mean "listen"?)\n');
    expect(result.stderr).toMatch(/site\.json:4:38: .*"apo".*did you mean "api"/);
    expect(result.stderr).toMatch(/site\.json:4:57: bad regular expression/);
    expect(result.stderr).toMatch(/ {2}"lisen": 8080,\n +\^~+\n/);
  });

  it('names a file that is not there', async () => {
    const result = await runTsserve(['-t', '-c', '/nowhere/site.json']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('/nowhere/site.json');
  });
});

describe('tsserve', () => {
  it.each([0, 1])('writes an access log to its own standard output, with %i workers', async (workers) => {
    const server = await startServer({ workers, routes, accessLog: '/dev/stdout', errorLog: '/dev/stderr' });
    await fetch(server.url);
    await waitUntil('the line', () => server.process.stdout.includes('"GET / HTTP/1.1" 200'));
    expect(server.process.stderr).toContain('serving');
  });

  it('-T prints the effective config as JSON', async () => {
    const folder = createTempFolder({
      'site.json': JSON.stringify({ routes, timeouts: { keepalive: '5s' } }),
    });
    const result = await runTsserve(['-T', '-c', join(folder, 'site.json')]);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      timeouts: { keepalive: 5000, send: 60_000 },
      limits: { fields: 100 },
    });
  });

  it.each([
    [['--no-such-option'], 2],
    [['-s', 'dance'], 2],
    [['-c'], 2],
    [['-v'], 0],
    [['--help'], 0],
  ])('%j exits %d', async (args, code) => {
    expect((await runTsserve(args)).code).toBe(code);
  });

  it('T24: exits 1 when a port is busy, and names the port and who holds it', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    cleanUpLater(() => void holder.close());
    const { port } = holder.address() as { port: number };
    const folder = createTempFolder({ 'site.json': JSON.stringify({ listen: `127.0.0.1:${port}`, routes }) });
    const result = await runTsserve(['-c', join(folder, 'site.json')]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`127.0.0.1:${port}`);
    expect(result.stderr).toContain(String(process.pid));
  });

  it('listens on a unix socket, which is gone at the end', async () => {
    const server = await startServer({ listen: 'unix:site.sock', workers: 1, routes });
    const socketPath = join(server.folder, 'site.sock');
    const status = await new Promise((resolve, reject) => {
      request({ socketPath, path: '/' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    await server.stop();
    expect(existsSync(socketPath)).toBe(false);
  });

  it('serves a folder with no config at all', async () => {
    const folder = createTempFolder({ 'site/index.html': 'index', 'site/.env': 'secret' });
    const port = await findFreePort();
    const server = startTsserve(['site', '--port', String(port)], { cwd: folder });
    await waitUntilListening(server, port);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('index');
    expect((await fetch(`http://127.0.0.1:${port}/.env`)).status).toBe(404);
    expect(await server.stop('SIGINT')).toEqual({ code: 0, signal: null });
  });
});

describe('a running server', () => {
  it('S17: obeys -s reload, reopen and quit through its pid file, which it removes', async () => {
    const config = { workers: 1, pid: 'site.pid', accessLog: 'access.log', routes };
    const server = await startServer(config);
    const pidFile = join(server.folder, 'site.pid');
    await waitUntil('the pid file is there', () => existsSync(pidFile));
    expect(Number(readFileSync(pidFile, 'utf8'))).toBe(server.process.pid);
    server.writeConfig({ ...config, routes: [{ path: '/', return: 404 }] });
    expect((await runTsserve(['-s', 'reload', '-c', server.configFile])).code).toBe(0);
    await waitUntil('the reload is over', async () => (await fetch(server.url)).status === 404);
    renameSync(join(server.folder, 'access.log'), join(server.folder, 'access.log.1'));
    expect((await runTsserve(['-s', 'reopen', '-c', server.configFile])).code).toBe(0);
    await waitUntil('the new log is there', () => existsSync(join(server.folder, 'access.log')));
    await fetch(server.url);
    await waitUntil('the new log is written', () => statSync(join(server.folder, 'access.log')).size > 0);
    expect((await runTsserve(['-s', 'quit', '-c', server.configFile])).code).toBe(0);
    expect(await server.process.exit).toEqual({ code: 0, signal: null });
    expect(existsSync(pidFile)).toBe(false);
    const late = await runTsserve(['-s', 'quit', '-c', server.configFile]);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain('site.pid');
  });

  it.each(['SIGQUIT', 'SIGTERM', 'SIGINT'] as const)(
    'finishes the request under way at %s, accepts no more, and exits 0',
    async (signal) => {
      const app =
        'export default async () => { await new Promise((r) => setTimeout(r, 800)); return new Response("whole"); };';
      const server = await startServer(
        { workers: 1, upstreams: { api: { app: 'api.mjs' } }, routes: [{ path: '/', proxy: 'api' }] },
        { files: { 'api.mjs': app } },
      );
      await fetch(server.url);
      const pending = fetch(server.url, { headers: { Connection: 'close' } });
      await sleep(200);
      server.process.sendSignal(signal);
      expect(await (await pending).text()).toBe('whole');
      expect(await server.process.exit).toEqual({ code: 0, signal: null });
      await expect(fetch(server.url)).rejects.toThrow();
    },
  );

  it('T14: ends at once at a second TERM, whatever is under way', async () => {
    const app = 'export default () => new Promise(() => {});';
    const server = await startServer(
      { workers: 1, upstreams: { api: { app: 'api.mjs' } }, routes: [{ path: '/', proxy: 'api' }] },
      { files: { 'api.mjs': app } },
    );
    const pending = fetch(server.url).catch(() => 'cut');
    await sleep(500);
    server.process.sendSignal('SIGTERM');
    await sleep(300);
    const startedAtMs = performance.now();
    server.process.sendSignal('SIGTERM');
    await server.process.exit;
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
    expect(await pending).toBe('cut');
  });

  it('does a reload that is asked for before it serves, when it does', async () => {
    const folder = createTempFolder({ 'site.json': JSON.stringify({ listen: 0, workers: 0, routes }) });
    const server = startTsserve(['-c', join(folder, 'site.json')]);
    const title = () => readFileSync(`/proc/${server.pid}/cmdline`, 'latin1');
    await waitUntil('it is on its way', () => title().startsWith('tsserve: master'));
    server.sendSignal('SIGHUP');
    await server.waitForStderr(/serving[\s\S]*reloaded/);
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  it('ends when told to though nobody reads the access log on its standard output', async () => {
    const folder = createTempFolder();
    const port = await findFreePort();
    const file = join(folder, 'site.json');
    writeFileSync(
      file,
      JSON.stringify({
        listen: `127.0.0.1:${port}`,
        workers: 1,
        accessLog: '/dev/stdout',
        routes,
      }),
    );
    const child = spawn(process.execPath, ['bin/tsserve.js', '-c', file], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    cleanUpLater(() => child.kill('SIGKILL'));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await waitUntil('it answers', async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
      return reply?.status === 200;
    });
    for (let i = 0; i < 100; i++) await fetch(`http://127.0.0.1:${port}/${'x'.repeat(7_000)}`);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('T39: serves on when nobody reads its standard error and an application floods it', async () => {
    const app = `
      setInterval(() => { for (let i = 0; i < 200; i++) console.log('x'.repeat(500)); }, 5);
      export default () => new Response('alive');
    `;
    const port = await findFreePort();
    const folder = createTempFolder({
      'api.mjs': app,
      'site.json': JSON.stringify({
        listen: `127.0.0.1:${port}`,
        workers: 1,
        upstreams: { api: { app: 'api.mjs' } },
        routes: [{ path: '/', proxy: 'api' }],
      }),
    });
    const child = spawn(
      process.execPath,
      [new URL('../../bin/tsserve.js', import.meta.url).pathname, '-c', join(folder, 'site.json')],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    cleanUpLater(() => void child.kill('SIGKILL'));
    child.stderr.pause();
    await waitUntil(
      'it answers',
      async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => null))?.status === 200,
    );
    await sleep(1500);
    for (let i = 0; i < 20; i++) {
      const startedAtMs = performance.now();
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('alive');
      expect(performance.now() - startedAtMs).toBeLessThan(1000);
    }
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it('labels what applications write with the name of the instance, line by line', async () => {
    const app =
      'console.log("one\\ntwo"); console.error("bad \\x1b[31mred"); export default () => new Response("x");';
    const server = await startServer(
      { workers: 1, upstreams: { api: { app: 'api.mjs' } }, routes: [{ path: '/', proxy: 'api' }] },
      { files: { 'api.mjs': app } },
    );
    await server.process.waitForStderr(/api#1\]? ?:? ?.*one/);
    await server.process.waitForStderr(/api#1\]? ?:? ?.*two/);
    await server.process.waitForStderr(/bad \\x1b\[31mred/);
  });
});
