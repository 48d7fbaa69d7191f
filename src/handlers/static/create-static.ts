// Serves the files of a folder to GET and HEAD. A file in memory is answered with one Map lookup and no system call;
// once a second it is compared with the disk. Headers beyond those of the file itself are left to middleware.

import { closeSync } from 'node:fs';
import { monotonicMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { LruCache } from '../../base/lru-cache.ts';
import type { SharedPool } from '../../base/shared-pool.ts';
import { isConditional } from '../../message/conditional.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { HttpError } from '../../message/http-error.ts';
import { toLocalReference } from '../../message/location.ts';
import { Reply } from '../../message/reply.ts';
import { answerFile } from './answer-file.ts';
import { cachedFileBytes, FileCache } from './file-cache.ts';
import { createNotFound, isOutOfDescriptors, toFileError } from './file-error.ts';
import { isSameVersion } from './file-version.ts';
import { type FoundFile, findFile } from './find-file.ts';
import { isNavigation } from './is-navigation.ts';
import { isServablePath } from './is-servable-path.ts';
import { loadFile, streamFile } from './load-file.ts';
import type { PieceCache } from './piece-cache.ts';
import type { CachedFile, ServedFile } from './served-file.ts';
import { StaticRoot } from './static-root.ts';
import type { StaticSettings } from './static-shape.ts';

/** What a static handler needs of its surroundings. */
export interface StaticDeps {
  /** Keeps the cached files of a root while Sites change. */
  readonly shared: SharedPool;
  readonly log: Log;
}

const missing = createNotFound('no such file', true);
const unservable = createNotFound('a path that names no file here', true);
// An edit shows within one second.
const recheckAfterMs = 1_000;
// Keys are paths and begin with "/": this one is no path's.
const fallbackKey = 'fallback';
// Paths that name no file are remembered for a moment that nobody notices, apart from the files: a scan for random
// paths must not push those out. Measured: opening what is not there cost a quarter of a 404.
const missedForMs = 100;
const missesBytes = 1024 * 1024;
const missBytes = 256;

/** Compiles a `static` setting. The cache is shared by all handlers with the same settings. */
export function createStatic(settings: StaticSettings, deps: StaticDeps): Handler {
  const key = `static:${JSON.stringify(settings, Object.keys(settings).sort())}`;
  const lease = deps.shared.take(key, () => new FileCache(settings));
  const server = new StaticServer(settings, lease.value, deps.log);
  return { handle: (exchange) => server.handle(exchange), close: () => lease.release() };
}

class StaticServer {
  readonly #settings: StaticSettings;
  readonly #cache: LruCache<CachedFile>;
  readonly #pieces: PieceCache;
  /** When a path was found to name nothing, in monotonic ms. */
  readonly #misses: LruCache<number>;
  readonly #log: Log;
  readonly #root: StaticRoot;

  constructor(settings: StaticSettings, cache: FileCache, log: Log) {
    this.#settings = settings;
    this.#cache = cache.files;
    this.#pieces = cache.pieces;
    this.#misses = new LruCache(settings.cacheSize === 0 ? 0 : missesBytes);
    this.#log = log;
    this.#root = new StaticRoot(settings.root, settings.symlinks);
  }

  handle(exchange: Exchange): Reply | HttpError {
    const { method } = exchange;
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpError('TSS_METHOD', `${method} on a file`, ['Allow', 'GET, HEAD']);
    }
    const cached = this.#cache.get(exchange.path);
    if (cached === undefined || monotonicMs() - cached.checkedAtMs >= recheckAfterMs) {
      return this.#answerFromDisk(exchange);
    }
    return isConditional(exchange.fields) ? answerFile(exchange, cached) : cached.reply;
  }

  #answerFromDisk(exchange: Exchange): Reply | HttpError {
    if (this.#isKnownMiss(exchange.path)) return this.#answerMiss(exchange);
    const path = this.#toFilePath(exchange.path);
    if (path === null) return unservable;
    const found = this.#find(exchange.path, path);
    if (found === null) return this.#answerMiss(exchange);
    if (found !== 'folder') return answerFile(exchange, found);
    return new Reply(301, ['Location', toLocalReference(`${exchange.path}/`, exchange.query)], null);
  }

  /** The path below the root, or null for one that can't name a file there. */
  #toFilePath(requestPath: string): string | null {
    const prefix = this.#settings.stripPrefix;
    let path = requestPath;
    if (prefix !== '') {
      // Only whole segments: "/files" is no prefix of "/files-of-others".
      if (!path.startsWith(prefix)) return null;
      path = path.slice(prefix.length);
    }
    if (path === '' && prefix !== '') return path;
    return isServablePath(path, this.#settings.dotfiles) ? path : null;
  }

  #isKnownMiss(requestPath: string): boolean {
    const missedAtMs = this.#misses.get(requestPath);
    return missedAtMs !== undefined && monotonicMs() - missedAtMs < missedForMs;
  }

  #answerMiss(exchange: Exchange): Reply | HttpError {
    const { fallback } = this.#settings;
    if (fallback === null || !isNavigation(exchange)) return missing;
    const cached = this.#cache.get(fallbackKey);
    if (cached !== undefined && monotonicMs() - cached.checkedAtMs < recheckAfterMs) {
      return answerFile(exchange, cached);
    }
    const found = this.#find(fallbackKey, fallback);
    return found === null || found === 'folder' ? missing : answerFile(exchange, found);
  }

  /** Null when there is no such file. Throws an HttpError. */
  #find(cacheKey: string, path: string): ServedFile | 'folder' | null {
    const cached = this.#cache.get(cacheKey);
    try {
      const found = findFile(this.#root, path, this.#settings.index);
      if (found !== null && found !== 'folder') return this.#load(cacheKey, cached, found);
      this.#cache.delete(cacheKey);
      if (found === null) this.#misses.set(cacheKey, monotonicMs(), missBytes + 2 * cacheKey.length);
      return found;
    } catch (error) {
      // Rather an answer that may be a little old than none.
      if (cached !== undefined && isOutOfDescriptors(error)) return this.#extend(cached);
      this.#cache.delete(cacheKey);
      throw toFileError(error, path);
    }
  }

  #load(cacheKey: string, cached: CachedFile | undefined, found: FoundFile): ServedFile {
    const isCurrent = cached?.path === found.path && isSameVersion(cached.version, found.file.stats);
    if (cached !== undefined && isCurrent) {
      closeSync(found.file.fd);
      cached.checkedAtMs = monotonicMs();
      return cached;
    }
    this.#cache.delete(cacheKey);
    try {
      const loaded = loadFile(found, this.#settings.cacheFileSize);
      if (loaded === null) return streamFile(found, this.#pieces);
      closeSync(found.file.fd);
      if (loaded.mayBeKept) this.#cache.set(cacheKey, loaded.file, loaded.bytes + cachedFileBytes);
      return loaded.file;
    } catch (error) {
      closeSync(found.file.fd);
      throw error;
    }
  }

  #extend(cached: CachedFile): CachedFile {
    cached.checkedAtMs = monotonicMs();
    this.#log(
      'crit',
      `static: no file descriptors left; ${cached.path} is served without a look at the disk`,
    );
    return cached;
  }
}
