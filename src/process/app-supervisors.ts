// The applications and programs of a site, each with its supervisor.

import type { Log } from '../base/log.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import { AppSupervisor, type ProgramSnapshot } from './app-supervisor.ts';
import { listPrograms, type ProgramSettings } from './program-settings.ts';
import type { ProgramRole } from './role.ts';
import { removeStaleSocketFolders, SocketFolder } from './socket-folder.ts';
import type { InstancesOrder } from './worker-messages.ts';

/** What supervisors work with. */
export interface AppsOptions {
  readonly log: Log;
  readonly role: ProgramRole;
  /** Tells the fronts; resolves when all of them know. */
  readonly publish: (order: InstancesOrder) => Promise<void>;
  /** Whether no front has a request at an instance that was taken out. */
  readonly isQuiet: (id: string) => Promise<boolean>;
}

/** All applications of a site. */
export class AppSupervisors {
  readonly #options: AppsOptions;
  readonly #supervisors = new Map<string, AppSupervisor>();
  /** Of applications that the config no longer has. */
  readonly #leaving = new Set<AppSupervisor>();
  #folder: SocketFolder | null = null;

  constructor(options: AppsOptions) {
    this.#options = options;
  }

  /** Starts what is new, replaces what was there, ends what is gone. Resolves to whether all came up. */
  async apply(settings: SiteSettings): Promise<boolean> {
    const programs = listPrograms(settings);
    for (const [name, supervisor] of this.#supervisors) {
      if (!programs.has(name)) this.#remove(name, supervisor);
    }
    const results = [...programs].map(([name, program]) => {
      const supervisor = this.#supervisors.get(name);
      return supervisor === undefined ? this.#add(name, program) : supervisor.replace(program);
    });
    return (await Promise.all(results)).every((started) => started);
  }

  /** Starts one application anew with the settings that it has, as a reload does. Resolves to whether it came up. */
  async restart(name: string): Promise<boolean> {
    const supervisor = this.#supervisors.get(name);
    return supervisor?.replace(supervisor.settings) ?? false;
  }

  /** Changes the number of instances of each by so many, until the next reload. */
  async scale(change: number): Promise<void> {
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.scale(change)));
  }

  /** What they all do, for a status page. */
  snapshot(): ProgramSnapshot[] {
    return [...this.#supervisors.values()].map((supervisor) => supervisor.snapshot());
  }

  /** Ends all instances, giving them so long to finish. */
  async end(timeoutMs: number): Promise<void> {
    const all = [...this.#supervisors.values(), ...this.#leaving];
    await Promise.all(all.map((supervisor) => supervisor.end(timeoutMs)));
    this.#folder?.remove();
  }

  /** Ends all instances now. */
  kill(): void {
    for (const supervisor of [...this.#supervisors.values(), ...this.#leaving]) supervisor.kill();
    this.#folder?.remove();
  }

  #add(name: string, program: ProgramSettings): Promise<boolean> {
    const supervisor = new AppSupervisor(program, {
      ...this.#options,
      upstream: name,
      folder: this.#useFolder(),
    });
    this.#supervisors.set(name, supervisor);
    return supervisor.started;
  }

  #remove(name: string, supervisor: AppSupervisor): void {
    this.#supervisors.delete(name);
    this.#leaving.add(supervisor);
    void supervisor.remove().then(() => this.#leaving.delete(supervisor));
  }

  #useFolder(): SocketFolder {
    if (this.#folder === null) {
      this.#folder = new SocketFolder();
      void removeStaleSocketFolders(this.#folder.path);
    }
    return this.#folder;
  }
}
