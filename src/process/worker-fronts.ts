// The front workers as one: orders go to all of them; one that dies is replaced, and told everything anew.

import { availableParallelism } from 'node:os';
import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { LogSink } from '../observe/log-sink.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import { BackOff } from './back-off.ts';
import type { BoundSocket } from './bind-socket.ts';
import { FrontWorker } from './front-worker.ts';
import type { Fronts } from './fronts.ts';
import { type Role, workerRole } from './role.ts';
import type { InstancesOrder, WorkerOrder } from './worker-messages.ts';

const surplusDrainMs = 30_000;

/** How many workers the settings ask for: "auto" is one per processor. */
export function countWorkers(settings: SiteSettings): number {
  return settings.workers === 'auto' ? availableParallelism() : settings.workers;
}

/** The workers of a site. */
export class WorkerFronts implements Fronts {
  readonly #log: Log;
  readonly #passOn: (line: string, source: string) => void;
  readonly #role: Role;
  readonly #backOff: BackOff;
  readonly #workers = new Set<FrontWorker>();
  readonly #sockets = new Map<string, BoundSocket>();
  readonly #instances = new Map<string, InstancesOrder>();
  /** Standard output, once a worker has written to its own. */
  #output: LogSink | null = null;
  #settings: SiteSettings | null = null;
  #wanted = 0;
  /** Replacements that wait for their time. */
  readonly #waiting = new Set<NodeJS.Timeout>();
  #started = false;
  #ending = false;
  readonly #onEmpty: (() => void)[] = [];

  /** @param passOn takes the lines that workers write to their own logs @param role another program, for tests */
  constructor(log: Log, passOn: (line: string, source: string) => void, role: Role = workerRole) {
    this.#log = log;
    this.#passOn = passOn;
    this.#role = role;
    this.#backOff = new BackOff(role.restart);
  }

  get count(): number {
    return this.#wanted;
  }

  async start(settings: SiteSettings, sockets: readonly BoundSocket[]): Promise<void> {
    this.#settings = settings;
    this.#wanted = countWorkers(settings);
    for (const socket of sockets) this.#sockets.set(socket.id, socket);
    await Promise.all(Array.from({ length: this.#wanted }, () => this.#spawn()));
    this.#started = true;
  }

  async configure(settings: SiteSettings): Promise<void> {
    const before = this.#settings;
    this.#settings = settings;
    try {
      await this.#broadcast({ type: 'configure', settings });
    } catch (error) {
      this.#settings = before;
      // Some may have swapped before one refused: all must serve the same site.
      if (before !== null) await this.#broadcast({ type: 'configure', settings: before });
      throw error;
    }
    await this.#resize(countWorkers(settings));
  }

  async listen(socket: BoundSocket): Promise<void> {
    const { id, address } = socket;
    this.#sockets.set(id, socket);
    try {
      await this.#broadcast({ type: 'listen', address, socket: id }, socket);
    } catch (error) {
      await this.unlisten(id);
      throw error;
    }
  }

  async unlisten(id: string): Promise<void> {
    this.#sockets.delete(id);
    await this.#broadcast({ type: 'unlisten', socket: id });
  }

  async setInstances(order: InstancesOrder): Promise<void> {
    this.#instances.set(order.upstream, order);
    await this.#broadcast(order);
  }

  async isQuiet(instanceId: string): Promise<boolean> {
    return this.#broadcast({ type: 'quiet', instanceId }).then(
      () => true,
      () => false,
    );
  }

  async reopenLogs(): Promise<void> {
    await this.#broadcast({ type: 'reopen' });
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#stopSpawning();
    for (const worker of this.#workers) worker.drain(timeoutMs);
    await this.#whenEmpty();
  }

  async close(): Promise<void> {
    this.#stopSpawning();
    for (const worker of this.#workers) worker.kill();
    await this.#whenEmpty();
  }

  async #broadcast(order: WorkerOrder, socket: BoundSocket | null = null): Promise<void> {
    const workers = [...this.#workers].filter((worker) => !worker.leaving);
    const handle = socket?.handle ?? null;
    const results = await Promise.allSettled(workers.map((worker) => worker.order(order, handle)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Starts a worker and tells it everything. Rejects when it does not come to serve; its exit is seen to elsewhere. */
  async #spawn(): Promise<void> {
    // Nobody would tell it to end.
    if (this.#ending) throw new Error('the server ends');
    const startedAtMs = monotonicMs();
    const worker = new FrontWorker({
      entry: this.#role.entry,
      answerTimeoutMs: this.#role.startTimeoutMs,
      onLine: ({ pid }, line) => this.#passOn(line, `worker ${pid}`),
      onOutputLine: (line) => this.#print(line),
      onStuck: (stuck) => this.#onStuck(stuck),
      onExit: (ended, description) => this.#onExit(ended, description),
    });
    this.#workers.add(worker);
    try {
      await Promise.all(this.#instruct(worker));
    } catch (error) {
      worker.kill();
      throw error;
    }
    if (worker.end !== null) throw new Error(`a worker ${worker.end} while it started`);
    worker.readyAtMs = monotonicMs();
    this.#log('info', `worker ${worker.pid} is ready after ${Math.round(worker.readyAtMs - startedAtMs)} ms`);
  }

  #instruct(worker: FrontWorker): Promise<void>[] {
    const settings = this.#settings as SiteSettings;
    // Sockets last: with the first connection everything else must be known.
    return [
      worker.order({ type: 'configure', settings, inForce: this.#started }),
      ...[...this.#instances.values()].map((order) => worker.order(order)),
      ...[...this.#sockets.values()].map(({ id, address, handle }) =>
        worker.order({ type: 'listen', address, socket: id }, handle),
      ),
    ];
  }

  #print(line: string): void {
    this.#output ??= new LogSink('/dev/stdout');
    this.#output.write(`${line}\n`);
  }

  /** One that does not answer would hold up every reload, and the requests given to it wait in vain. */
  #onStuck(worker: FrontWorker): void {
    this.#log('error', `worker ${worker.pid} has not answered for ${this.#role.startTimeoutMs} ms`);
    worker.kill();
  }

  #onExit(worker: FrontWorker, description: string): void {
    this.#workers.delete(worker);
    if (this.#workers.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
    if (worker.leaving || this.#ending) return;
    this.#log('error', `worker ${worker.pid} ${description}`);
    // At the start of the server a worker that cannot serve ends it: the reason is told there.
    if (!this.#started) return;
    this.#respawn(this.#backOff.addDeath(worker.readyAtMs === 0 ? 0 : monotonicMs() - worker.readyAtMs));
  }

  #respawn(delayMs: number): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      if (this.#countStaying() >= this.#wanted) return;
      void this.#spawnMore();
    }, delayMs);
    this.#waiting.add(timer);
  }

  /** Starts a worker of a server that serves already. One that fails is tried again by the rules for deaths. */
  async #spawnMore(): Promise<void> {
    try {
      await this.#spawn();
    } catch (error) {
      if (!this.#ending) this.#log('crit', `a new worker does not serve: ${(error as Error).message}`);
    }
  }

  #countStaying(): number {
    return [...this.#workers].filter((worker) => !worker.leaving).length;
  }

  /** Follows a new number of workers. */
  async #resize(wanted: number): Promise<void> {
    this.#wanted = wanted;
    const staying = [...this.#workers].filter((worker) => !worker.leaving);
    for (const worker of staying.slice(wanted)) worker.drain(surplusDrainMs);
    const missing = Math.max(0, wanted - staying.length - this.#waiting.size);
    await Promise.all(Array.from({ length: missing }, () => this.#spawnMore()));
  }

  #stopSpawning(): void {
    this.#ending = true;
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }

  async #whenEmpty(): Promise<void> {
    if (this.#workers.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }
}
