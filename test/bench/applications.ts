// The applications that are measured. Each is a row: how tsserve runs it, and the program of the same answers that
// stands behind the servers that run none.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from '../support/find-tool.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { listProgramArguments } from './list-program-arguments.ts';

/** One application. It answers below /NAME/. */
export interface BenchApplication {
  readonly name: string;
  /** What tsserve runs: the settings of an upstream. */
  readonly upstream: { readonly app: string } | { readonly command: readonly string[] };
  /** Variables for its processes, whoever starts them. */
  readonly env: Readonly<Record<string, string>>;
  /** A command line that serves it at a port of 127.0.0.1 or the path of a unix socket. `node`: path of the binary. */
  listCommand(node: string, address: string): string[];
  /** What is not installed, or null. */
  findObstacle(): string | null;
  /** Versions of what it is made of, by name. */
  readVersions(): Record<string, string>;
}

const programs = join(repositoryRoot, 'test/bench/programs');

/** Every application. */
export const benchApplications: readonly BenchApplication[] = [
  createNodeApplication('hello', 'hello-function.ts', 'hello-node.ts'),
  createNodeApplication('bulk', 'bulk-function.ts', 'bulk-node.ts'),
  createNodeApplication('hono', 'hono-app.ts', 'hono-node.ts', ['hono', '@hono/node-server']),
  {
    name: 'flask',
    upstream: { command: listGunicornArguments('unix:{socket}') },
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    listCommand: (_, socketPath) => listGunicornArguments(`unix:${socketPath}`),
    findObstacle: findFlaskObstacle,
    readVersions: () => ({
      gunicorn: runGunicorn('--version').output.match(/\d+(?:\.\d+)+/)?.[0] ?? 'unknown',
    }),
  },
];

/** The application of this name. Throws when there is none. */
export function findApplication(name: string): BenchApplication {
  const found = benchApplications.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no application "${name}"`);
  return found;
}

function createNodeApplication(
  name: string,
  ours: string,
  theirs: string,
  packages: readonly string[] = [],
): BenchApplication {
  return {
    name,
    upstream: { app: join(programs, ours) },
    env: {},
    listCommand: (node, address) => listProgramArguments(node, theirs, address),
    findObstacle: () => null,
    readVersions: () => Object.fromEntries(packages.map((each) => [each, readPackageVersion(each)])),
  };
}

function readPackageVersion(name: string): string {
  return JSON.parse(readFileSync(join(repositoryRoot, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function listGunicornArguments(bind: string): string[] {
  const folders = ['--chdir', programs, '--worker-tmp-dir', '/dev/shm'];
  return [findTool('gunicorn') ?? 'gunicorn', ...folders, '--bind', bind, 'hello-flask:app'];
}

function findFlaskObstacle(): string | null {
  if (findTool('gunicorn') === null) return 'gunicorn is not installed';
  // It may have a Python of its own, with or without Flask.
  const { status } = runGunicorn('--chdir', programs, '--check-config', 'hello-flask:app');
  return status === 0 ? null : 'Flask (python3-flask) is not installed for the Python of gunicorn';
}

function runGunicorn(...args: readonly string[]): { status: number | null; output: string } {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const { status, stdout } = spawnSync('gunicorn', args, { encoding: 'utf8', env });
  return { status, output: stdout ?? '' };
}
