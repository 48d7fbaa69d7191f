// One instance: a process with the application in it, or any program, at an address of its own, its output labelled in
// the log. Watches whether it comes up, whether its event loop turns, and how much it uses; what follows is the slot's.

import { monotonicMs } from '../base/clock.ts';
import { parseInstanceMessage, type ToInstance } from '../base/instance-messages.ts';
import type { Log } from '../base/log.ts';
import {
  type BlockedState,
  inspectBlocked,
  inspectorOptions,
  parseInspectorLine,
} from './blocked-program.ts';
import { ChildProgram } from './child-program.ts';
import { chooseBeatMs, Heartbeat } from './heartbeat.ts';
import { chooseAddress, createLaunch } from './instance-launch.ts';
import { LineSplitter } from './line-splitter.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { ProgramSettings, ReadySettings } from './program-settings.ts';
import { type ProgramAddress, Readiness, type ReadyTest } from './readiness.ts';
import type { ProgramRole } from './role.ts';
import type { SocketFolder } from './socket-folder.ts';

/** What an instance is started with. */
export interface InstanceOptions {
  readonly upstream: string;
  /** From 1. */
  readonly number: number;
  /** Of all instances of this master: no two have the same. */
  readonly serial: number;
  readonly settings: ProgramSettings;
  readonly folder: SocketFolder;
  readonly role: ProgramRole;
  readonly log: Log;
  /** It became ready, or takes nothing new any more. */
  readonly onChange: (instance: AppInstance) => void;
  /** It should be replaced by a fresh one. Called once. `reason`: "after 1000 requests". */
  readonly onWorn: (instance: AppInstance, reason: string) => void;
  readonly onExit: (instance: AppInstance) => void;
}

/** starting: not ready yet. ready: takes requests. leaving: finishes what runs. ended: no process any more. */
export type AppInstanceState = 'starting' | 'ready' | 'leaving' | 'ended';

/** An instance ends by itself when its time is over; one that cannot is helped this much later. */
const graceMs = 250;

/** An instance that ends of its own accord gives itself 30 s at the most; one that is stuck must not stay for ever. */
const leaveLimitMs = 31_000;

/** How long a blocked process may take to show what it does. */
const inspectorOpensMs = 1_000;
const inspectionMs = 2_000;

/** A program that is told to end has this long at least before it is killed. */
const shortestEndMs = 500;

const mib = 1024 ** 2;

/** A running instance. */
export class AppInstance {
  readonly name: string;
  /** Never used twice. */
  readonly id: string;
  readonly address: ProgramAddress;
  readonly #options: InstanceOptions;
  readonly #program: ChildProgram | null;
  readonly #startTimer: NodeJS.Timeout;
  readonly #maxRequests: number;
  readonly #onEnd: (() => void)[] = [];
  #readiness: Readiness | null = null;
  #heartbeat: Heartbeat | null = null;
  #memory: MemoryWatch | null = null;
  #ownsInspector = false;
  #onInspector: ((url: string) => void) | null = null;
  #state: AppInstanceState = 'starting';
  #readyAtMs = 0;
  #endedAtMs = 0;
  #expected = false;
  #isWorn = false;
  /** Requests so far, as far as it has told: an application does once a second or so, a program never. */
  requests = 0;
  /** How it ended, if nobody had told it to; "" before. */
  failure = '';

  constructor(options: InstanceOptions) {
    const { upstream, number, serial, settings } = options;
    this.name = `${upstream}#${number}`;
    this.id = `${this.name}.${serial}`;
    this.#options = options;
    this.#maxRequests = 'app' in settings ? chooseMaxRequests(settings.maxRequests) : 0;
    this.address = chooseAddress(settings, options.folder, upstream, number);
    this.#startTimer = setTimeout(() => this.#onStartTimeout(), settings.startTimeout);
    this.#program = this.#start();
    if (this.#program === null) return;
    if ('app' in settings) this.#sendStart(settings.app, settings.interface, settings.hangTimeout);
    else this.#awaitReady(toReadyTest(settings.ready));
  }

  get state(): AppInstanceState {
    return this.#state;
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#program?.pid ?? 0;
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
    this.#leave();
    if ('app' in this.#options.settings) {
      this.#send({ type: 'drain', timeoutMs });
      this.#program?.endWithin(timeoutMs + graceMs);
    } else this.#program?.endWithin(0, Math.max(timeoutMs, shortestEndMs));
    await ended;
  }

  /** Ends it now. */
  kill(): void {
    this.#expected = true;
    this.#program?.kill();
  }

  #start(): ChildProgram | null {
    const { upstream, number, settings, role } = this.#options;
    const isApp = 'app' in settings;
    const splitters = {
      stdout: new LineSplitter((line) => this.#onLine('notice', line)),
      // A program writes what it likes there: only of our own is it known that these are failures.
      stderr: new LineSplitter((line) => this.#onLine(isApp ? 'warn' : 'notice', line)),
    };
    try {
      const launch = createLaunch(settings, { upstream, number, address: this.address }, role.entry);
      this.#ownsInspector = 'nodeOptions' in launch && launch.nodeOptions.includes(inspectorOptions[0]);
      return new ChildProgram({
        ...launch,
        onOutput: (stream, bytes) => {
          if (bytes === null) splitters[stream].end();
          else splitters[stream].push(bytes);
        },
        onMessage: (message) => this.#onMessage(message),
        onExit: (description) => this.#onExit(description),
      });
    } catch (error) {
      // Told like any other end: later, when whoever makes this instance has it.
      setImmediate(() => this.#onExit(`could not be started: ${(error as Error).message}`));
      return null;
    }
  }

  #sendStart(file: string, kind: 'fetch' | 'node', hangTimeoutMs: number): void {
    const { number, settings } = this.#options;
    this.#send({
      type: 'start',
      file,
      interface: kind,
      socketPath: 'path' in this.address ? this.address.path : '',
      instance: number,
      name: this.name,
      beatMs: chooseBeatMs(hangTimeoutMs),
      maxRequests: this.#maxRequests,
      concurrency: settings.concurrency,
    });
  }

  #send(message: ToInstance): void {
    this.#program?.send(message);
  }

  #awaitReady(test: ReadyTest): void {
    this.#readiness = new Readiness(test, this.address, () => this.#onReady());
  }

  #onLine(level: 'notice' | 'warn', line: string): void {
    if (this.#ownsInspector) {
      // How to reach it is a secret: whoever knows can run anything in the instance.
      const inspector = parseInspectorLine(line);
      if (inspector?.url) this.#onInspector?.(inspector.url);
      if (inspector !== null) return;
    }
    this.#options.log(level, `[${this.name}] ${line}`);
    this.#readiness?.noteLine(line);
  }

  #onMessage(received: unknown): void {
    const message = parseInstanceMessage(received);
    const { ready } = this.#options.settings;
    if (message === null) return;
    if (message.type === 'beat') this.#onBeat(message.requests);
    else if (message.type === 'leaving') this.#onLeaving();
    else if (this.#state === 'starting' && this.#readiness === null) {
      if (ready === undefined) this.#onReady();
      else this.#awaitReady(toReadyTest(ready));
    }
  }

  #onReady(): void {
    if (this.#state !== 'starting') return;
    const { settings } = this.#options;
    clearTimeout(this.#startTimer);
    this.#state = 'ready';
    this.#readyAtMs = monotonicMs();
    if ('app' in settings && settings.hangTimeout > 0) {
      this.#heartbeat = new Heartbeat(settings.hangTimeout, (silentMs) => void this.#onHang(silentMs));
    }
    if (settings.maxMemory > 0) {
      this.#memory = new MemoryWatch(this.pid, settings.maxMemory, (bytes) =>
        this.#onUsedUp(`at ${Math.round(bytes / mib)} MiB of memory`),
      );
    }
    this.#options.onChange(this);
  }

  #onBeat(requests: number): void {
    this.#heartbeat?.note();
    this.requests = requests;
    if (this.#maxRequests > 0 && requests >= this.#maxRequests) this.#onUsedUp(`after ${requests} requests`);
  }

  #onUsedUp(reason: string): void {
    if (this.#isWorn || this.#state !== 'ready') return;
    this.#isWorn = true;
    this.#options.onWorn(this, reason);
  }

  #onLeaving(): void {
    if (this.#state !== 'ready') return;
    this.#leave();
    this.#program?.endWithin(leaveLimitMs);
    this.#options.onChange(this);
  }

  #leave(): void {
    this.#state = 'leaving';
    this.#stopWatching();
  }

  async #onHang(silentMs: number): Promise<void> {
    this.#expected = true;
    this.#leave();
    // Others take its requests from now on; what it does is looked at meanwhile.
    this.#options.onChange(this);
    const found = await this.#inspect();
    this.#options.log(
      'error',
      `${this.name} (pid ${this.pid}) has been blocked for ${(silentMs / 1000).toFixed(1)} s: ` +
        `it is killed and replaced\n${found}`,
    );
    this.kill();
  }

  /** What it is blocked by, in lines. */
  async #inspect(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const opened = new Promise<string | null>((resolve) => {
      this.#onInspector = resolve;
      timer = setTimeout(() => resolve(null), inspectorOpensMs);
    });
    this.#program?.notify('SIGUSR1');
    const url = await opened;
    clearTimeout(timer);
    try {
      if (url === null) throw new Error('it runs no JavaScript: it waits for the system, or in native code');
      const ownCode = new URL('..', this.#options.role.entry).href;
      return describeBlocked(await inspectBlocked(url, inspectionMs), ownCode);
    } catch (error) {
      return `no stack: ${(error as Error).message}`;
    }
  }

  #onStartTimeout(): void {
    const { log, settings } = this.#options;
    const obstacle = this.#readiness === null ? '' : `: ${this.#readiness.obstacle}`;
    log('error', `${this.name} was not ready within ${settings.startTimeout} ms${obstacle}`);
    this.#program?.kill();
  }

  #stopWatching(): void {
    clearTimeout(this.#startTimer);
    this.#readiness?.stop();
    this.#heartbeat?.stop();
    this.#memory?.stop();
  }

  #onExit(description: string): void {
    this.#stopWatching();
    const wasReady = this.#readyAtMs !== 0;
    this.#state = 'ended';
    this.#endedAtMs = monotonicMs();
    if (!this.#expected) {
      const who = this.pid === 0 ? this.name : `${this.name} (pid ${this.pid})`;
      this.failure = `${who} ${description}${wasReady ? '' : ' before it was ready'}`;
      this.#options.log('error', this.failure);
    }
    if ('path' in this.address) this.#options.folder.removePath(this.address.path);
    for (const resolve of this.#onEnd.splice(0)) resolve();
    this.#options.onExit(this);
  }
}

/** Up to a tenth fewer, so that instances that were started together are not replaced together. */
function chooseMaxRequests(most: number): number {
  return most === 0 ? 0 : Math.max(1, most - Math.floor(Math.random() * most * 0.1));
}

function toReadyTest(ready: ReadySettings | undefined): ReadyTest {
  if (ready === undefined) return { kind: 'connect' };
  if ('line' in ready) return { kind: 'line', pattern: new RegExp(ready.line) };
  return { kind: 'request', path: ready.path, status: ready.status };
}

/** @param ownCode the URL of the folder with what calls the application: that is no news */
function describeBlocked({ requests, stack }: BlockedState, ownCode: string): string {
  const own = stack.findIndex((frame) => frame.includes(ownCode));
  const frames = own === -1 ? stack : stack.slice(0, own);
  return [...requests.map((one) => `  running: ${one}`), ...frames.map((frame) => `    at ${frame}`)].join(
    '\n',
  );
}
