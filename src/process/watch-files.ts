// Tells when files below some folders have changed, however an editor or a deployment changed them: written, renamed
// over, behind a link that was swapped. Events of the system only say when to look, since they come late, twice, or on
// some file systems never; what counts is what a file's inode, size and time are.

import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What to look at. */
export interface WatchOptions {
  /** Files and folders. Of folders everything below, but not what `isIgnored` says. */
  readonly roots: readonly string[];
  /** Whether a file is of no interest, by path. */
  readonly isIgnored: (path: string) => boolean;
  /** Receives the paths of files that were changed, added or removed, when they have come to rest. */
  readonly onChange: (paths: readonly string[]) => void;
}

/** Without events, this often. */
const pollMs = 2_000;
/** What is written in several steps is one change. */
const restMs = 60;
/** More folders than these are looked at without asking the system for events. */
const maxWatched = 2_000;

/** Folders in which nobody edits an application. */
const ignoredFolders: ReadonlySet<string> = new Set(['node_modules', '__pycache__']);

/** A watch, until it is closed. */
export class FileWatch {
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #poll: NodeJS.Timeout;
  #restTimer: NodeJS.Timeout | undefined;
  #known: ReadonlyMap<string, string> | null = null;
  #changed = new Set<string>();
  #scanning = false;
  #scanAgain = false;
  #closed = false;
  /** Resolves when changes from now on are seen. */
  readonly ready: Promise<void>;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#poll = setInterval(() => void this.#look(), pollMs);
    this.ready = this.#look();
  }

  /** Calls back no more. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#restTimer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #look(): Promise<void> {
    if (this.#scanning) {
      this.#scanAgain = true;
      return;
    }
    this.#scanning = true;
    do {
      this.#scanAgain = false;
      await this.#scan();
    } while (this.#scanAgain && !this.#closed);
    this.#scanning = false;
  }

  async #scan(): Promise<void> {
    const found = new Map<string, string>();
    for (const root of this.#options.roots) await this.#visit(root, found, true);
    if (this.#closed) return;
    const known = this.#known;
    this.#known = found;
    if (known === null) return;
    const paths = new Set([...known.keys(), ...found.keys()]);
    const before = this.#changed.size;
    let isMoving = false;
    for (const path of paths) {
      if (known.get(path) === found.get(path)) continue;
      isMoving = true;
      this.#changed.add(path);
    }
    if (isMoving) this.#lookSoon();
    else if (before > 0) this.#report();
  }

  #report(): void {
    const paths = [...this.#changed];
    this.#changed = new Set();
    this.#options.onChange(paths);
  }

  #lookSoon(): void {
    if (this.#closed) return;
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => void this.#look(), restMs);
  }

  async #visit(path: string, found: Map<string, string>, isRoot: boolean): Promise<void> {
    // Through links: what a file is counts, not how it is reached.
    const stats = await stat(path, { bigint: true }).catch(() => null);
    if (stats === null || this.#closed) return;
    if (!stats.isDirectory()) {
      if (isRoot || !this.#options.isIgnored(path)) {
        found.set(path, `${stats.ino} ${stats.size} ${stats.mtimeNs}`);
      }
      if (isRoot) this.#watchFolder(join(path, '..'));
      return;
    }
    this.#watchFolder(path);
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      // A link to a folder may lead back up.
      const isFolder = entry.isDirectory();
      if (entry.name.startsWith('.') || (isFolder && ignoredFolders.has(entry.name))) continue;
      const inner = join(path, entry.name);
      if (isFolder || (await isFile(inner))) await this.#visit(inner, found, false);
    }
  }

  #watchFolder(folder: string): void {
    if (this.#closed || this.#watchers.has(folder) || this.#watchers.size >= maxWatched) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      this.#watchers.set(folder, watcher);
      watcher.on('error', () => this.#forget(folder, watcher));
    } catch {
      // No events to be had: looking now and then will do.
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    watcher.close();
    this.#watchers.delete(folder);
  }
}

async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.isFile() ?? false;
}
