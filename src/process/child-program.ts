// One child process: starts it, talks to it, tells exactly once how it ended, and ends it in rising tones.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SocketHandle } from './bind-socket.ts';
import { describeExit } from './describe-exit.ts';

/** What to run. */
export interface ChildOptions {
  /** The program, as a file URL. */
  readonly entry: URL;
  readonly environment: NodeJS.ProcessEnv;
  /** Receives standard output and standard error, and null at the end of each. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer | null) => void;
  readonly onMessage: (message: unknown) => void;
  /** The process is no more. `description` is a predicate: "exited with code 1". */
  readonly onExit: (description: string) => void;
}

/** After SIGTERM a child has this long before SIGKILL. */
const killDelayMs = 1_000;

/** How long the last output of a child may come behind its exit. */
const outputDelayMs = 200;

/** A running child. */
export class ChildProgram {
  readonly #child: ChildProcess;
  #signalled = false;
  #ended = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: ChildOptions) {
    this.#child = fork(fileURLToPath(options.entry), [], {
      env: options.environment,
      execArgv: listInheritedArguments(process.execArgv),
      // Never the master's own: Node makes what a child inherits blocking, for everybody who shares it.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream]?.on('data', (bytes: Buffer) => options.onOutput(stream, bytes));
      this.#child[stream]?.on('end', () => options.onOutput(stream, null));
      this.#child[stream]?.on('error', () => {});
    }
    this.#child.on('message', options.onMessage);
    this.#child.on('exit', (code, signal) => {
      const finish = () => this.#finish(describeExit(code, signal, this.#signalled), options.onExit);
      // What it said last comes first; unless a child of its own keeps its output open.
      this.#child.once('close', finish);
      this.#timers.push(setTimeout(finish, outputDelayMs));
    });
    this.#child.on('error', (error) => {
      // A failed start has no exit; a failed send has one soon.
      if (this.#child.pid === undefined)
        this.#finish(`could not be started: ${error.message}`, options.onExit);
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

  /** SIGTERM after `delayMs`, SIGKILL some time later, unless it ends before. */
  endWithin(delayMs: number): void {
    this.#later(delayMs, 'SIGTERM');
    this.#later(delayMs + killDelayMs, 'SIGKILL');
  }

  /** SIGKILL now. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  #later(delayMs: number, signal: NodeJS.Signals): void {
    if (!this.#ended) this.#timers.push(setTimeout(() => this.#signal(signal), delayMs));
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#ended) return;
    this.#signalled = true;
    this.#child.kill(signal);
  }

  #finish(description: string, onExit: (description: string) => void): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    onExit(description);
  }
}

const inheritedPattern =
  /^--(max-[\w-]+=|stack-size=|enable-source-maps$|(no|throw|trace|pending)-(warnings|deprecation|uncaught)$|disable-warning=|dns-result-order=|tls-[\w.-]+|use-[\w-]+ca$)/;

/** Options of this Node that hold for its children too. Not those that open a port or load things into the master. */
export function listInheritedArguments(execArgv: readonly string[]): string[] {
  return execArgv.filter((argument) => inheritedPattern.test(argument));
}
