// npm run dev: compiles src on every change and restarts the server with the result; a change of its config is a
// reload. Arguments go to tsserve; without any it serves config/site.json.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const args = process.argv.length > 2 ? process.argv.slice(2) : ['-c', join(root, 'config/site.json')];
/** A compilation writes many files; the server starts when none was written for so long. */
const quietMs = 200;

let server: ChildProcess | null = null;
let ending = false;
let restarting = false;
let restartTimer: NodeJS.Timeout | undefined;

/** The one makes the program, the other says what is wrong with its types. */
const compilers = [
  ['rolldown/bin/cli.mjs', '-c', 'rolldown.config.ts', '--watch'],
  ['typescript/bin/tsc', '-p', 'src', '--watch', '--preserveWatchOutput'],
].map(([program, ...words]) =>
  spawn(process.execPath, [join(root, 'node_modules', program), ...words], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  }),
);

function restart(): void {
  if (ending) return;
  if (server === null) {
    start();
    return;
  }
  if (restarting) return;
  restarting = true;
  server.once('exit', () => {
    restarting = false;
    start();
  });
  // SIGTERM, not SIGQUIT: nobody wants to wait for an open event stream while programming.
  server.kill('SIGTERM');
}

function start(): void {
  if (ending) return;
  const child = spawn(process.execPath, [join(root, 'bin/tsserve.js'), ...args], { stdio: 'inherit' });
  server = child;
  child.once('exit', () => {
    if (server === child) server = null;
  });
}

function restartSoon(): void {
  clearTimeout(restartTimer);
  restartTimer = setTimeout(restart, quietMs);
}

function reloadConfig(): void {
  server?.kill('SIGHUP');
}

function end(): void {
  ending = true;
  for (const compiler of compilers) compiler.kill();
  if (server === null) process.exit(0);
  server.once('exit', () => process.exit(0));
  server.kill('SIGTERM');
}

watch(join(root, 'dist'), { recursive: true }, (_, name) => {
  if (name?.endsWith('.js')) restartSoon();
});
const configAt = args.indexOf('-c');
const configFile = configAt === -1 ? '' : resolve(args[configAt + 1] ?? '');
if (existsSync(configFile))
  watch(dirname(configFile), (_, name) => name?.endsWith('.json') && reloadConfig());
process.once('SIGINT', end);
process.once('SIGTERM', end);
start();
