// One child process: starts it as what the config says it is to run as, talks to it, tells exactly once how it ended,
// and ends it in rising tones.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SocketHandle } from './bind-socket.ts';
import { describeExit } from './describe-exit.ts';

/** A program of ours, which has a channel for messages, or any other. */
export type Launch =
  | {
      /** The program, as a file URL. */
      readonly entry: URL;
      /** Options of Node beside those that the master itself has. */
      readonly nodeOptions?: readonly string[];
    }
  | {
      /** Program and arguments. It leads a process group, which is killed with it. */
      readonly command: readonly string[];
    };

/** What to run. */
export type ChildOptions = Launch & {
  readonly environment: NodeJS.ProcessEnv;
  /** Default: the master's. */
  readonly cwd?: string;
  readonly identity?: { readonly uid: number; readonly gid: number };
  readonly umask?: number;
  /** Receives standard output and standard error, and null at the end of each. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer | null) => void;
  readonly onMessage: (message: unknown) => void;
  /** The process is no more. `description` is a predicate: "exited with code 1". */
  readonly onExit: (description: string) => void;
};

/** After SIGTERM a child has this long before SIGKILL. */
const killDelayMs = 1_000;

/** How long the last output of a child may come behind its exit. */
const outputDelayMs = 200;

/** A running child. */
export class ChildProgram {
  readonly #child: ChildProcess;
  readonly #leadsGroup: boolean;
  #signalled = false;
  #ended = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: ChildOptions) {
    this.#leadsGroup = 'command' in options;
    this.#child = withUmask(options.umask, () => launch(options));
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream]?.on('data', (bytes: Buffer) => options.onOutput(stream, bytes));
      this.#child[stream]?.on('end', () => options.onOutput(stream, null));
      this.#child[stream]?.on('error', () => {});
    }
    this.#child.on('message', options.onMessage);
    this.#child.on('exit', (code, signal) => {
      const finish = () => this.#finish(describeExit(code, signal, this.#signalled), options.onExit);
      this.#killGroup();
      // What it said last comes first; unless a child of its own keeps its output open.
      this.#child.once('close', finish);
      this.#timers.push(setTimeout(finish, outputDelayMs));
    });
    this.#child.on('error', (error) => {
      // A failed start has no exit; a failed send has one soon.
      if (this.#child.pid === undefined)
        this.#finish(`could not be started: ${explain(error, options)}`, options.onExit);
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a message, with a socket if given. What cannot be sent is lost: the end of the child follows. */
  send(message: object, handle: SocketHandle | null = null): void {
    if (!this.#child.connected) return;
    // The types know only wrapped sockets; Node sends bare handles too and keeps ours open.
    const sendable = (handle ?? undefined) as Parameters<ChildProcess['send']>[1];
    this.#child.send(message, sendable, () => {});
  }

  /** SIGTERM after `delayMs`, SIGKILL `killAfterMs` later, unless it ends before. */
  endWithin(delayMs: number, killAfterMs: number = killDelayMs): void {
    this.#later(delayMs, () => this.#signal('SIGTERM'));
    this.#later(delayMs + killAfterMs, () => this.kill());
  }

  /** SIGKILL now, to all that it started too if it leads a group. */
  kill(): void {
    this.#signal('SIGKILL');
    if (!this.#ended) this.#killGroup();
  }

  /** A signal that does not end it. */
  notify(signal: NodeJS.Signals): void {
    if (!this.#ended) this.#child.kill(signal);
  }

  #later(delayMs: number, act: () => void): void {
    if (!this.#ended) this.#timers.push(setTimeout(act, delayMs));
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#ended) return;
    this.#signalled = true;
    this.#child.kill(signal);
  }

  #killGroup(): void {
    if (!this.#leadsGroup || this.pid === 0) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  }

  #finish(description: string, onExit: (description: string) => void): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    onExit(description);
  }
}

function launch(options: ChildOptions): ChildProcess {
  const { environment, cwd, identity } = options;
  const common = { env: environment, cwd, ...identity };
  if ('command' in options) {
    const [program, ...words] = options.command;
    return spawn(program, words, { ...common, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  }
  return fork(fileURLToPath(options.entry), [], {
    ...common,
    execArgv: [...listInheritedArguments(process.execArgv), ...(options.nodeOptions ?? [])],
    // Never the master's own: Node makes what a child inherits blocking, for everybody who shares it.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** Node has no such option for a child: it inherits ours, which is another one for as long as the start takes. */
function withUmask<T>(umask: number | undefined, start: () => T): T {
  if (umask === undefined) return start();
  const own = process.umask(umask);
  try {
    return start();
  } finally {
    process.umask(own);
  }
}

function explain(error: NodeJS.ErrnoException, options: ChildOptions): string {
  if (error.code === 'EPERM' && options.identity !== undefined) {
    return `${error.message} (only root may run programs as another user)`;
  }
  if (error.code === 'ENOENT' && 'command' in options) return `there is no program "${options.command[0]}"`;
  return error.message;
}

const inheritedPattern =
  /^--(max-[\w-]+=|stack-size=|enable-source-maps$|(no|throw|trace|pending)-(warnings|deprecation|uncaught)$|disable-warning=|dns-result-order=|tls-[\w.-]+|use-[\w-]+ca$)/;

/** Options of this Node that hold for its children too. Not those that open a port or load things into the master. */
export function listInheritedArguments(execArgv: readonly string[]): string[] {
  return execArgv.filter((argument) => inheritedPattern.test(argument));
}
