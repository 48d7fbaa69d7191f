// One app instance: a process with the application in it, on a unix socket of its own, its output labelled in the log.

import { unlinkSync } from 'node:fs';
import { monotonicMs } from '../base/clock.ts';
import { parseInstanceMessage, type ToInstance } from '../base/instance-messages.ts';
import type { Log } from '../base/log.ts';
import { ChildProgram } from './child-program.ts';
import { createInstanceEnvironment } from './instance-environment.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Role } from './role.ts';

/** What the config says of an application. */
export interface AppSettings {
  /** The module's absolute path. */
  readonly app: string;
  readonly instances: number;
  readonly interface: 'fetch' | 'node';
  readonly env: Readonly<Record<string, string>>;
}

/** What an instance is started with. */
export interface InstanceOptions {
  readonly upstream: string;
  /** From 1. */
  readonly number: number;
  readonly settings: AppSettings;
  readonly socketPath: string;
  readonly role: Role;
  readonly log: Log;
  /** It became ready, or takes nothing new any more. */
  readonly onChange: () => void;
  readonly onExit: (instance: AppInstance) => void;
}

/** starting: not ready yet. ready: takes requests. leaving: finishes what runs. ended: no process any more. */
export type AppInstanceState = 'starting' | 'ready' | 'leaving' | 'ended';

/** An instance ends by itself when its time is over; one that cannot is helped this much later. */
const graceMs = 250;

/** An instance that ends of its own accord gives itself 30 s at the most; one that is stuck must not stay for ever. */
const leaveLimitMs = 31_000;

/** A running instance. */
export class AppInstance {
  readonly name: string;
  readonly socketPath: string;
  readonly #options: InstanceOptions;
  readonly #program: ChildProgram;
  readonly #startTimer: NodeJS.Timeout;
  readonly #onEnd: (() => void)[] = [];
  #state: AppInstanceState = 'starting';
  #readyAtMs = 0;
  #endedAtMs = 0;
  #expected = false;

  constructor(options: InstanceOptions) {
    const { upstream, number, settings, role, socketPath } = options;
    this.name = `${upstream}#${number}`;
    this.socketPath = socketPath;
    this.#options = options;
    const splitters = {
      stdout: new LineSplitter((line) => options.log('notice', `[${this.name}] ${line}`)),
      stderr: new LineSplitter((line) => options.log('warn', `[${this.name}] ${line}`)),
    };
    this.#program = new ChildProgram({
      entry: role.entry,
      environment: createInstanceEnvironment(process.env, settings.env, upstream, number),
      onOutput: (stream, bytes) => {
        if (bytes === null) splitters[stream].end();
        else splitters[stream].push(bytes);
      },
      onMessage: (message) => this.#onMessage(message),
      onExit: (description) => this.#onExit(description),
    });
    this.#startTimer = setTimeout(() => this.#onStartTimeout(), role.startTimeoutMs);
    this.#send({
      type: 'start',
      file: settings.app,
      interface: settings.interface,
      socketPath,
      instance: number,
      name: this.name,
    });
  }

  get state(): AppInstanceState {
    return this.#state;
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** How long it took requests, or has until now, in ms; 0 if it never did. */
  get livedMs(): number {
    if (this.#readyAtMs === 0) return 0;
    return (this.#endedAtMs === 0 ? monotonicMs() : this.#endedAtMs) - this.#readyAtMs;
  }

  /** Lets it finish what runs for so long, and sees to it that it ends. Resolves when it has. */
  async end(timeoutMs: number): Promise<void> {
    if (this.#state === 'ended') return;
    const ended = new Promise<void>((resolve) => this.#onEnd.push(resolve));
    this.#expected = true;
    this.#state = 'leaving';
    this.#send({ type: 'drain', timeoutMs });
    this.#program.endWithin(timeoutMs + graceMs);
    await ended;
  }

  /** Ends it now. */
  kill(): void {
    this.#expected = true;
    this.#program.kill();
  }

  #send(message: ToInstance): void {
    this.#program.send(message);
  }

  #onMessage(received: unknown): void {
    const message = parseInstanceMessage(received);
    if (message?.type === 'ready' && this.#state === 'starting') {
      clearTimeout(this.#startTimer);
      this.#state = 'ready';
      this.#readyAtMs = monotonicMs();
      this.#options.onChange();
    } else if (message?.type === 'leaving' && this.#state === 'ready') {
      this.#state = 'leaving';
      this.#program.endWithin(leaveLimitMs);
      this.#options.onChange();
    }
  }

  #onStartTimeout(): void {
    const { log, role } = this.#options;
    log('error', `${this.name} was not ready within ${role.startTimeoutMs} ms`);
    this.#program.kill();
  }

  #onExit(description: string): void {
    clearTimeout(this.#startTimer);
    const wasReady = this.#readyAtMs !== 0;
    this.#state = 'ended';
    this.#endedAtMs = monotonicMs();
    if (!this.#expected) {
      const { log } = this.#options;
      log('error', `${this.name} (pid ${this.pid}) ${description}${wasReady ? '' : ' before it was ready'}`);
    }
    removeQuietly(this.socketPath);
    for (const resolve of this.#onEnd.splice(0)) resolve();
    this.#options.onExit(this);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // An instance that ended by itself has removed it.
  }
}
