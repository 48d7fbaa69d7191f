// For development: starts an application anew when its files change, and has the config read anew when it does.

import { basename, dirname, extname, relative } from 'node:path';
import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SiteSettings } from '../server/site-settings.ts';
import { listPrograms } from './program-settings.ts';
import { FileWatch } from './watch-files.ts';

/** What follows from changes. */
export interface SiteWatchOptions {
  readonly log: Log;
  /** Absolute path, or null when there is none. */
  readonly configFile: string | null;
  readonly reload: () => void;
  /** Starts an application anew. Resolves to whether it came up. */
  readonly restart: (upstream: string) => Promise<boolean>;
}

/** What programs are made of. Anything else in their folders they may have written themselves. */
const sourceNames = new Set(
  '.js .mjs .cjs .jsx .ts .mts .cts .tsx .json .wasm .node .html .py .php .rb .pl .lua .sh .toml .yaml .yml'.split(
    ' ',
  ),
);

const mostNamed = 3;

/** The watch over a site. */
export class SiteWatch {
  readonly #options: SiteWatchOptions;
  /** By what is looked at: a watch that goes on misses nothing. */
  readonly #watches = new Map<string, FileWatch>();

  constructor(options: SiteWatchOptions) {
    this.#options = options;
  }

  /** Watches what these settings speak of, and nothing else. Resolves when changes from now on are seen. */
  async follow(settings: SiteSettings): Promise<void> {
    const wanted = new Set<string>();
    const { configFile } = this.#options;
    if (configFile !== null) {
      this.#keep(wanted, 'config', () => this.#watchConfig(configFile));
    }
    for (const [name, program] of listPrograms(settings)) {
      const home = 'app' in program ? dirname(program.app) : program.cwd;
      const roots = program.watch ?? ('app' in program ? [program.app, home] : [home]);
      this.#keep(wanted, JSON.stringify([name, roots]), () => this.#watchProgram(name, roots, home));
    }
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) continue;
      watch.close();
      this.#watches.delete(key);
    }
    await Promise.all([...this.#watches.values()].map((watch) => watch.ready));
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #keep(wanted: Set<string>, key: string, create: () => FileWatch): void {
    wanted.add(key);
    if (!this.#watches.has(key)) this.#watches.set(key, create());
  }

  #watchConfig(configFile: string): FileWatch {
    const { reload, log } = this.#options;
    const onChange = (): void => {
      log('notice', `${basename(configFile)} has changed`);
      reload();
    };
    return new FileWatch({ roots: [configFile], isIgnored: () => false, onChange });
  }

  #watchProgram(name: string, roots: readonly string[], home: string): FileWatch {
    return new FileWatch({
      roots,
      isIgnored: (path) => !sourceNames.has(extname(path)) || path === this.#options.configFile,
      onChange: (paths) => void this.#restart(name, paths, home),
    });
  }

  async #restart(name: string, paths: readonly string[], home: string): Promise<void> {
    const { log, restart } = this.#options;
    const named = paths.slice(0, mostNamed).map((path) => relative(home, path));
    const more = paths.length > mostNamed ? ` and ${paths.length - mostNamed} more` : '';
    log('notice', `upstream ${name}: ${named.join(', ')}${more} changed, starting anew`);
    const startedAtMs = monotonicMs();
    // What keeps it from starting is said where that is found.
    if (!(await restart(name))) return;
    log(
      'notice',
      `upstream ${name}: the new code serves after ${Math.round(monotonicMs() - startedAtMs)} ms`,
    );
  }
}
