// Opens files below one folder. What is checked is what was opened, not a name that may mean something else a moment
// later: the path of the open descriptor decides whether a symbolic link led out of the folder.
// Calls are synchronous: on files in the page cache they cost 2-10 µs, a trip to the thread pool costs 160.

import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { sep } from 'node:path';
import { monotonicMs } from '../../base/clock.ts';
import { createNotFound, isAbsent } from './file-error.ts';
import { toByteString, toFilePath } from './file-path-bytes.ts';

/** What happens to symbolic links: those that stay inside the root are obeyed, all are, or none is. */
export type SymlinkPolicy = 'inside' | 'follow' | 'deny';

/** A regular file or a folder below the root. Whoever got it closes `fd`. */
export interface OpenedFile {
  readonly fd: number;
  readonly stats: BigIntStats;
}

// A FIFO must not block, a terminal must not become ours. Windows knows neither flag.
const baseFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const deletedMark = ' (deleted)';
const openAttempts = 3;
const rootTrustedMs = 1_000;
const canReadDescriptorPath = process.platform === 'linux' && existsSync('/proc/self/fd');

/** One folder and the rule for symbolic links in it. The folder itself may be a link, and may be changed. */
export class StaticRoot {
  readonly #root: string;
  readonly #policy: SymlinkPolicy;
  readonly #flags: number;
  readonly #hasDescriptorPaths: boolean;
  #realRoot = '';
  #realRootReadAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param root absolute path
   * @param hasDescriptorPaths whether /proc tells the path of a descriptor; elsewhere the name is resolved anew after
   *   opening, which who can rename folders while it happens might outrun
   */
  constructor(root: string, policy: SymlinkPolicy, hasDescriptorPaths = canReadDescriptorPath) {
    this.#root = root.replace(/[/\\]+$/, '');
    this.#policy = policy;
    this.#flags = policy === 'deny' ? baseFlags | (constants.O_NOFOLLOW ?? 0) : baseFlags;
    this.#hasDescriptorPaths = hasDescriptorPaths;
  }

  /**
   * Opens a file or folder for reading. `path` begins with "/" and was found servable; without a slash at its end it
   * names a folder too, and "" the root. Null when nothing is there.
   * Throws TSS_NOT_FOUND when what is there must not be served, or the system's error.
   */
  open(path: string): OpenedFile | null {
    for (let attempt = 1; ; attempt++) {
      try {
        const opened = this.#openOnce(path);
        if (opened !== 'replaced') return opened;
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
      if (attempt === openAttempts) throw createNotFound(`replaced again and again: ${path}`);
    }
  }

  /**
   * A path that leads to what is open as `fd`, whatever happens to names meanwhile. Without /proc it is the name that
   * it was opened by.
   */
  toDescriptorPath(fd: number, path: string): Buffer {
    if (this.#hasDescriptorPaths) return Buffer.from(`/proc/self/fd/${fd}`);
    return Buffer.from(toByteString((this.#root + path).replace(/\/+$/, '')), 'latin1');
  }

  #openOnce(path: string): OpenedFile | 'replaced' {
    const filePath = toFilePath(this.#root + path || '/');
    const fd = openSync(filePath, this.#flags);
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile() && !stats.isDirectory()) throw createNotFound(`neither file nor folder: ${path}`);
      const verdict = this.#policy === 'follow' ? 'allowed' : this.#judge(fd, stats, filePath, path);
      if (verdict === 'allowed') return { fd, stats };
      if (verdict === 'refused') throw createNotFound(`a symbolic link that is not followed: ${path}`);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return 'replaced';
  }

  #judge(
    fd: number,
    stats: BigIntStats,
    filePath: string | Buffer,
    path: string,
  ): 'allowed' | 'refused' | 'replaced' {
    const real = this.#hasDescriptorPaths
      ? readlinkSync(`/proc/self/fd/${fd}`, 'latin1')
      : resolveAgain(stats, filePath);
    if (real === null) return 'replaced';
    if (this.#isAllowed(real, path)) return 'allowed';
    // The root may be a link that has just been set to the next release.
    this.#realRootReadAtMs = Number.NEGATIVE_INFINITY;
    if (this.#isAllowed(real, path)) return 'allowed';
    return this.#policy === 'deny' && real.endsWith(deletedMark) ? 'replaced' : 'refused';
  }

  #isAllowed(real: string, path: string): boolean {
    const root = this.#readRealRoot();
    if (this.#policy === 'deny') return real === (root + toByteString(path).replaceAll('/', sep) || sep);
    return real.startsWith(root) && (real.length === root.length || real.startsWith(sep, root.length));
  }

  /** The root without links, as a byte string without slash at the end. */
  #readRealRoot(): string {
    const nowMs = monotonicMs();
    if (nowMs - this.#realRootReadAtMs < rootTrustedMs) return this.#realRoot;
    const real = realpathSync.native(this.#root === '' ? '/' : this.#root, 'latin1');
    this.#realRoot = real.endsWith(sep) ? real.slice(0, -1) : real;
    this.#realRootReadAtMs = nowMs;
    return this.#realRoot;
  }
}

/** The path without links of what `filePath` names now, or null when that is no longer what was opened. */
function resolveAgain(opened: BigIntStats, filePath: string | Buffer): string | null {
  const real = realpathSync.native(filePath, 'latin1');
  const now = lstatSync(Buffer.from(real, 'latin1'), { bigint: true });
  return now.ino === opened.ino && now.dev === opened.dev ? real : null;
}
