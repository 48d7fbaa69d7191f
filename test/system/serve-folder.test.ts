// `tsserve DIR`: a folder, served without a config.

import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { listChildren } from '../support/processes.ts';
import { describeWithTool } from '../support/require-tool.ts';
import {
  type RunningProcess,
  repositoryRoot,
  runTsserve,
  startProcess,
  startTsserve,
} from '../support/run-tsserve.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const page = { accept: 'text/html' };

/** The address that a server prints for this machine. */
async function readLocalUrl(server: RunningProcess): Promise<string> {
  const find = () => /Local:\s+(http:\/\/\S+)\//.exec(server.stdout)?.[1];
  await waitUntil(`it says where it serves, said ${server.stderr}`, () => {
    if (!server.isRunning) throw new Error(`it ended:\n${server.stderr}`);
    return find() !== undefined;
  });
  return find() as string;
}

async function startFolder(files: Record<string, string>, ...words: string[]) {
  const folder = createTempFolder(files);
  const server = startTsserve([folder, '--port', '0', '-g', '"workers": 0', ...words]);
  return { folder, server, url: await readLocalUrl(server) };
}

/** Holds a port of 127.0.0.1. */
async function holdPort(): Promise<number> {
  const holder: Server = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => void holder.close());
  return (holder.address() as AddressInfo).port;
}

describe('a folder without a config', () => {
  it('is served as a static site should be: compressed, and kept by browsers as its names allow', async () => {
    const { url, server } = await startFolder({
      'index.html': 'index',
      'main-BkH3x9aQ.js': 'x'.repeat(5000),
      'ready.txt': 'plain',
      'ready.txt.gz': 'not looked into',
      'sub/a.txt': '',
    });
    const index = await fetch(`${url}/`);
    expect(await index.text()).toBe('index');
    expect(index.headers.get('cache-control')).toBe('no-cache');
    const script = await fetch(`${url}/main-BkH3x9aQ.js`, { headers: { 'accept-encoding': 'br' } });
    expect((await script.text()).length).toBe(5000);
    expect(script.headers.get('content-encoding')).toBe('br');
    expect(script.headers.get('cache-control')).toMatch(/immutable/);
    const ready = await fetch(`${url}/ready.txt`, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
    expect(ready.headers.get('content-encoding')).toBe('gzip');
    expect(ready.headers.get('content-length')).toBe('15');
    expect((await fetch(`${url}/sub/`, { headers: page })).status).toBe(404);
    expect((await fetch(`${url}/users/7`, { headers: page })).status).toBe(404);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it('is closed to other machines unless --host says otherwise', async () => {
    const closed = await startFolder({ 'index.html': 'index' });
    const { port } = new URL(closed.url);
    expect(closed.server.stdout).toContain('--host 0.0.0.0 lets other machines in');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.2:${port}/`)).rejects.toThrow();
    const open = await startFolder({ 'index.html': 'index' }, '--host', '0.0.0.0');
    expect(open.server.stdout).not.toContain('lets other machines in');
    expect((await fetch(`http://127.0.0.2:${new URL(open.url).port}/`)).status).toBe(200);
  });

  it('with --spa has its index.html for navigations, and 404 for what is missing', async () => {
    const { url } = await startFolder({ 'index.html': 'the app' }, '--spa');
    expect(await (await fetch(`${url}/users/7`, { headers: page })).text()).toBe('the app');
    expect((await fetch(`${url}/old-BkH3x9aQ.js`, { headers: page })).status).toBe(404);
  });

  it('with --listing shows folders that have no index', async () => {
    const { url } = await startFolder({ 'sub/a.txt': 'a' }, '--listing');
    const answer = await fetch(`${url}/sub/`, { headers: page });
    expect(await answer.text()).toContain('>a.txt<');
  });

  it('prints nothing but its log with -q', async () => {
    const server = startTsserve([createTempFolder(), '--port', '0', '-q']);
    await server.waitForStderr(/serving http:\/\/localhost:\d+ from/);
    expect(server.stdout).toBe('');
  });

  it('keeps the port that --auto-port has found when it reloads', async () => {
    const busy = await holdPort();
    const folder = createTempFolder({ 'index.html': 'index' });
    const server = startTsserve([folder, '--host', '127.0.0.1', '--port', String(busy), '--auto-port']);
    const url = await readLocalUrl(server);
    server.sendSignal('SIGHUP');
    await server.waitForStderr(/ reloaded: /);
    expect((await fetch(url)).status).toBe(200);
    expect(server.stderr.match(/taking port/g)).toHaveLength(1);
  });
});

describe('a busy port', () => {
  it('T24: ends the start with 1, and the message names the port, who holds it, and what to do', async () => {
    const port = await holdPort();
    const result = await runTsserve([createTempFolder(), '--port', String(port)]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      `cannot listen on localhost:${port}: the address is already in use (held by `,
    );
    expect(result.stderr).toContain(`pid ${process.pid})`);
    expect(result.stderr).toContain('--port takes another one, --auto-port the next that is free');
    expect(result.stdout).toBe('');
  });

  it('T24: is passed over with --auto-port', async () => {
    const port = await holdPort();
    const folder = createTempFolder({ 'index.html': 'index' });
    const server = startTsserve([folder, '--port', String(port), '--auto-port']);
    const url = await readLocalUrl(server);
    expect(Number(new URL(url).port)).toBeGreaterThan(port);
    expect(await (await fetch(url)).text()).toBe('index');
    expect(server.stderr).toContain(
      `cannot listen on localhost:${port}: the address is already in use (held by `,
    );
    expect(server.stderr).toContain(`taking port ${new URL(url).port}\n`);
  });
});

describeWithTool('script', 'a folder on a terminal', (script) => {
  /** Starts the server on a terminal, with a program of ours in the place of the one that shows pages. */
  async function startOnTerminal(words: string, environment: Record<string, string> = {}) {
    const folder = createTempFolder({
      'index.html': 'index',
      'bin/xdg-open': '#!/bin/sh\nprintf %s "$*" > "$0.tmp"\nmv "$0.tmp" "$0.args"\n',
    });
    chmodSync(join(folder, 'bin/xdg-open'), 0o755);
    const command = `exec '${process.execPath}' '${repositoryRoot}bin/tsserve.js' '${folder}' --port 0 ${words}`;
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, NO_COLOR: '', ...environment };
    const terminal = startProcess([script, '-qefc', command, '/dev/null'], { env });
    await waitUntil('it greets', () => terminal.stdout.includes('Network:'));
    const stop = async () => {
      const [server] = listChildren(terminal.pid);
      process.kill(server, 'SIGTERM');
      expect(await terminal.exit).toEqual({ code: 0, signal: null });
    };
    return { terminal, stop, openedFile: join(folder, 'bin/xdg-open.args') };
  }

  it('is greeted in colour, and shown in the browser with --open', async () => {
    const { terminal, stop, openedFile } = await startOnTerminal('--open');
    await waitUntil('the browser was called', () => existsSync(openedFile));
    const url = readFileSync(openedFile, 'utf8');
    expect(url).toMatch(/^http:\/\/localhost:\d+\/$/);
    expect(terminal.stdout).toContain(`\x1b[36m${url}\x1b[0m`);
    expect(await (await fetch(url)).text()).toBe('index');
    await stop();
  });

  it('is greeted without colour where that is unwanted, and no browser is called unasked', async () => {
    const { terminal, stop, openedFile } = await startOnTerminal('', { NO_COLOR: '1' });
    await stop();
    expect(terminal.stdout).toMatch(/ {2}➜ {2}Local: {4}http:\/\/localhost:\d+\/\r\n/);
    expect(terminal.stdout).not.toContain('\x1b[');
    expect(existsSync(openedFile)).toBe(false);
  });
});
