// Runs a site: binds its sockets, has the fronts serve and the applications run, and changes over to new settings
// without a gap. What a signal means, and where settings come from, is the master's.

import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import type { ProgramSnapshot } from './app-supervisor.ts';
import { AppSupervisors } from './app-supervisors.ts';
import { type BoundSocket, createListenError } from './bind-socket.ts';
import type { Fronts } from './fronts.ts';
import { ListeningSockets, listAddresses } from './listening-sockets.ts';
import { listPrograms } from './program-settings.ts';
import { appRole, type ProgramRole } from './role.ts';
import { countWorkers } from './worker-fronts.ts';
import { OrderError } from './worker-messages.ts';

/** Kept from the time of a drain for the applications, which end after the fronts. */
const appsShareMs = 2_500;
/** What it takes to end one that does not end. */
const killShareMs = 1_500;

/** A running site. */
export class SiteRunner {
  readonly #log: Log;
  readonly #fronts: Fronts;
  readonly #sockets = new ListeningSockets();
  readonly #apps: AppSupervisors;
  #settings: SiteSettings | null = null;
  #ending = false;
  #appsStarted: Promise<boolean> = Promise.resolve(true);

  constructor(options: { log: Log; fronts: Fronts; appRole?: ProgramRole }) {
    this.#log = options.log;
    this.#fronts = options.fronts;
    this.#apps = new AppSupervisors({
      log: options.log,
      role: options.appRole ?? appRole,
      publish: (order) => options.fronts.setInstances(order),
      isQuiet: (id) => options.fronts.isQuiet(id),
    });
  }

  /** Where the site is reached: the first socket of each address of its config. */
  get places(): readonly BoundSocket[] {
    return this.#sockets.list().filter(({ id, address }) => id === address.key);
  }

  /** Resolves to whether the applications all came up, when that is known. */
  get appsStarted(): Promise<boolean> {
    return this.#appsStarted;
  }

  /** "2 workers, 3 app instances". */
  describe(): string {
    const instances = [...listPrograms(this.#settings as SiteSettings).values()].reduce(
      (sum, app) => sum + app.instances,
      0,
    );
    const workers = this.#fronts.count === 0 ? 'one process' : count(this.#fronts.count, 'worker');
    return instances === 0 ? workers : `${workers}, ${count(instances, 'app instance')}`;
  }

  /**
   * Begins to serve, once; applications may still be starting then. Rejects with a ListenError or with what a front
   * said; then nothing is left running.
   */
  async start(settings: SiteSettings): Promise<void> {
    if (this.#settings !== null) throw new Error('this server was started already');
    const sockets = await this.#sockets.open(listAddresses(settings));
    this.#checkNotEnding();
    this.#settings = settings;
    this.#appsStarted = this.#apps.apply(settings);
    try {
      await this.#fronts.start(settings, sockets);
    } catch (error) {
      await this.close();
      throw explain(error, sockets);
    }
  }

  /**
   * Changes over to new settings. Rejects with the reason when that cannot be, and then nothing has changed. Resolves
   * to whether the new instances of all applications came up; where they did not, the old ones serve on.
   */
  async reload(settings: SiteSettings): Promise<boolean> {
    const before = this.#settings as SiteSettings;
    if ((countWorkers(settings) === 0) !== (this.#fronts.count === 0)) {
      throw new Error('"workers" cannot change between 0 and more while the server runs: start it anew');
    }
    const addresses = listAddresses(settings);
    const added = await this.#sockets.open(addresses);
    this.#checkNotEnding();
    try {
      await this.#fronts.configure(settings);
    } catch (error) {
      this.#sockets.close(added);
      throw error;
    }
    await this.#listen(added, before);
    this.#settings = settings;
    const surplus = this.#sockets.findSurplus(addresses);
    for (const socket of surplus) await this.#fronts.unlisten(socket.id);
    this.#sockets.close(surplus);
    this.#checkNotEnding();
    this.#appsStarted = this.#apps.apply(settings);
    return this.#appsStarted;
  }

  /** Changes the number of instances of every application by so many, until the next reload. */
  async scale(change: number): Promise<void> {
    if (!this.#ending) await this.#apps.scale(change);
  }

  /** Starts one application anew, as a reload does. Resolves to whether it came up. */
  async restart(upstream: string): Promise<boolean> {
    return !this.#ending && (await this.#apps.restart(upstream));
  }

  /** What the applications do, for a status page. */
  listPrograms(): ProgramSnapshot[] {
    return this.#apps.snapshot();
  }

  /** Opens the logs anew. */
  async reopenLogs(): Promise<void> {
    await this.#fronts.reopenLogs();
  }

  /** Accepts no more and resolves when everything has ended: by itself, or cut off when the time is over. */
  async drain(timeoutMs: number): Promise<void> {
    this.#ending = true;
    const deadlineMs = monotonicMs() + timeoutMs;
    // The fronts have their own copies until they are told.
    const drained = this.#fronts.drain(Math.max(0, timeoutMs - appsShareMs));
    this.#sockets.close(this.#sockets.list());
    await drained;
    await this.#apps.end(Math.max(appsShareMs - killShareMs, deadlineMs - monotonicMs() - killShareMs));
  }

  /** Ends everything now. */
  async close(): Promise<void> {
    this.#ending = true;
    this.#apps.kill();
    this.#sockets.close(this.#sockets.list());
    await this.#fronts.close();
  }

  /** A start or a reload may be under way at the end: what it opens now nobody else would close. */
  #checkNotEnding(): void {
    if (!this.#ending) return;
    this.#sockets.close(this.#sockets.list());
    throw new Error('the server ends');
  }

  async #listen(sockets: readonly BoundSocket[], before: SiteSettings): Promise<void> {
    try {
      for (const socket of sockets) await this.#fronts.listen(socket);
    } catch (error) {
      for (const { id } of sockets) await this.#fronts.unlisten(id);
      this.#sockets.close(sockets);
      await this.#fronts.configure(before);
      this.#log('warn', 'went back to the settings before');
      throw explain(error, sockets);
    }
  }
}

/** A socket that cannot be listened on shows only in the fronts: told as if binding it had failed. */
function explain(error: unknown, sockets: readonly BoundSocket[]): unknown {
  const code = error instanceof OrderError ? error.code : (error as NodeJS.ErrnoException).code;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return error;
  const { message } = error as Error;
  // "listen EADDRINUSE: address already in use 127.0.0.1:8080": 80 is not what it names.
  const named = sockets.find(({ address }) => message.endsWith(address.path ?? `:${address.port}`));
  const socket = named ?? sockets[0];
  return socket === undefined ? error : createListenError(socket.address, code);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
