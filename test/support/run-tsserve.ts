// Starts bin/tsserve.js as a process, collects what it says, and sees to it that it ends.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { cleanUpLater } from './clean-up.ts';
import { waitUntil } from './wait-until.ts';

/** The root of the repository, with a trailing slash. */
export const repositoryRoot = new URL('../../', import.meta.url).pathname;

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process under way. */
export interface RunningProcess {
  readonly pid: number;
  /** Everything written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when the process is gone and its output is complete. */
  readonly exit: Promise<Exit>;
  readonly isRunning: boolean;
  sendSignal(signal: NodeJS.Signals): void;
  /** Waits until standard error matches. */
  waitForStderr(pattern: RegExp, timeoutMs?: number): Promise<void>;
  /** Sends a signal (default SIGTERM) and waits; after `graceMs` (default 10 s) kills it and throws. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<Exit>;
}

/** Where and with what a process runs. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Words before the command line: `['taskset', '-c', '0']`. */
  readonly before?: readonly string[];
  /** Path of the Node that `tsserve` runs on. Default: the one of the test. */
  readonly node?: string;
}

/** Starts `tsserve` with these arguments. */
export function startTsserve(args: readonly string[], options: RunOptions = {}): RunningProcess {
  return startProcess(
    [options.node ?? process.execPath, `${repositoryRoot}bin/tsserve.js`, ...args],
    options,
  );
}

/** Starts any command line. */
export function startProcess(commandLine: readonly string[], options: RunOptions = {}): RunningProcess {
  const [program, ...args] = [...(options.before ?? []), ...commandLine];
  const spawnOptions: SpawnOptions = {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  return watchProcess(spawn(program, args, spawnOptions), commandLine.join(' '));
}

/** The environment without what the test runner adds to it. */
function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|VITE_|TEST$|NODE_ENV$|NODE_OPTIONS$|NODE_V8_COVERAGE$|FORCE_COLOR$)/.test(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function watchProcess(child: ChildProcess, name: string): RunningProcess {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const killIt = () => child.kill('SIGKILL');
  process.once('exit', killIt);
  let ended = false;
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      ended = true;
      process.off('exit', killIt);
      resolve({ code, signal });
    });
  });
  exit.catch(() => {});
  const running: RunningProcess = {
    pid: child.pid ?? -1,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    exit,
    get isRunning() {
      return !ended;
    },
    sendSignal: (signal) => void child.kill(signal),
    waitForStderr: (pattern, timeoutMs) =>
      waitUntil(
        `${name} says ${pattern}, said ${output.stderr}`,
        () => pattern.test(output.stderr),
        timeoutMs,
      ),
    stop: (signal = 'SIGTERM', graceMs = 10_000) => stopProcess(child, running, name, signal, graceMs),
  };
  cleanUpLater(() => (ended || child.pid === undefined ? undefined : running.stop()));
  return running;
}

async function stopProcess(
  child: ChildProcess,
  running: RunningProcess,
  name: string,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<Exit> {
  let killed = false;
  child.kill(signal);
  const timer = setTimeout(() => {
    killed = true;
    child.kill('SIGKILL');
  }, graceMs);
  const exit = await running.exit;
  clearTimeout(timer);
  if (killed) throw new Error(`${name} did not end within ${graceMs} ms of ${signal}:\n${running.stderr}`);
  return exit;
}

/** Runs `tsserve` to its end. Throws when it takes longer than `timeoutMs` (default 10 s). */
export async function runTsserve(
  args: readonly string[],
  options: RunOptions & { timeoutMs?: number } = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const running = startTsserve(args, options);
  const timer = setTimeout(() => running.sendSignal('SIGKILL'), options.timeoutMs ?? 10_000);
  const exit = await running.exit;
  clearTimeout(timer);
  if (exit.signal === 'SIGKILL') throw new Error(`tsserve ${args.join(' ')} did not end:\n${running.stderr}`);
  return { ...exit, stdout: running.stdout, stderr: running.stderr };
}
