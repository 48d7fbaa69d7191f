// The applications of a site, each with its supervisor.

import type { Log } from '../base/log.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import type { AppSettings } from './app-instance.ts';
import { AppSupervisor } from './app-supervisor.ts';
import type { Role } from './role.ts';
import { removeStaleSocketFolders, SocketFolder } from './socket-folder.ts';
import type { InstancesOrder } from './worker-messages.ts';

const removedDrainMs = 30_000;

/** What supervisors work with. */
export interface AppsOptions {
  readonly log: Log;
  readonly role: Role;
  /** Tells the fronts; resolves when all of them know. */
  readonly publish: (order: InstancesOrder) => Promise<void>;
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
    const apps = listApps(settings);
    for (const [name, supervisor] of this.#supervisors) {
      if (!apps.has(name)) this.#remove(name, supervisor);
    }
    const results = [...apps].map(([name, app]) => {
      const supervisor = this.#supervisors.get(name);
      return supervisor === undefined ? this.#add(name, app) : supervisor.replace(app);
    });
    return (await Promise.all(results)).every((started) => started);
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

  #add(name: string, app: AppSettings): Promise<boolean> {
    const { log, role, publish } = this.#options;
    const supervisor = new AppSupervisor(app, {
      upstream: name,
      folder: this.#useFolder(),
      role,
      log,
      publish,
    });
    this.#supervisors.set(name, supervisor);
    return supervisor.started;
  }

  #remove(name: string, supervisor: AppSupervisor): void {
    this.#supervisors.delete(name);
    this.#leaving.add(supervisor);
    void supervisor.end(removedDrainMs).then(() => this.#leaving.delete(supervisor));
  }

  #useFolder(): SocketFolder {
    if (this.#folder === null) {
      this.#folder = new SocketFolder();
      void removeStaleSocketFolders(this.#folder.path);
    }
    return this.#folder;
  }
}

/** The upstreams of a site that are applications run here, by name. */
export function listApps(settings: SiteSettings): Map<string, AppSettings> {
  const apps = new Map<string, AppSettings>();
  for (const [name, upstream] of Object.entries(settings.upstreams)) {
    if ('app' in upstream) apps.set(name, upstream);
  }
  return apps;
}
