// Serves the files of a folder to GET and HEAD. A file in memory is answered with one Map lookup and no system call;
// once a second it is compared with the disk. Headers beyond those of the file itself are left to middleware.

import { monotonicMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { LruCache } from '../../base/lru-cache.ts';
import type { SharedPool } from '../../base/shared-pool.ts';
import { isConditional } from '../../message/conditional.ts';
import type { Exchange } from '../../message/exchange.ts';
import type { Handler } from '../../message/handler.ts';
import { HttpError } from '../../message/http-error.ts';
import { toLocalReference } from '../../message/location.ts';
import { type Answer, Reply } from '../../message/reply.ts';
import { answerFile } from './answer-file.ts';
import { findCleanPath } from './clean-url.ts';
import { FileCache } from './file-cache.ts';
import { createNotFound, isOutOfDescriptors, toFileError } from './file-error.ts';
import { FileLookup, type FoundFolder } from './file-lookup.ts';
import { FileStore } from './file-store.ts';
import { type FoundFile, findFile } from './find-file.ts';
import { FolderListings } from './folder-listings.ts';
import { isNavigation } from './is-navigation.ts';
import { isServablePath } from './is-servable-path.ts';
import { Precompressed } from './precompressed.ts';
import type { CachedFile, ServedFile } from './served-file.ts';
import { StaticRoot } from './static-root.ts';
import type { StaticSettings } from './static-shape.ts';
import { type AnswerMissing, compileTryFilesEnd } from './try-files-end.ts';

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

/** What a look at the disk comes to: a file, a folder to be listed, a redirect, or nothing. */
type Looked = FoundFile | FoundFolder | Reply | null;

class StaticServer {
  readonly #settings: StaticSettings;
  readonly #cache: LruCache<CachedFile>;
  /** When a path was found to name nothing, in monotonic ms. */
  readonly #misses: LruCache<number>;
  readonly #root: StaticRoot;
  readonly #lookup: FileLookup;
  readonly #store: FileStore;
  readonly #listings: FolderListings;
  readonly #log: Log;
  readonly #precompressed: Precompressed | null;
  /** What answers when there is no file, if `tryFiles` says so. */
  readonly #answerMissing: AnswerMissing | null;
  /** Whether the path of a request alone says what answers it. */
  readonly #isPlain: boolean;

  constructor(settings: StaticSettings, cache: FileCache, log: Log) {
    const { cacheSize, precompressed, tryFiles } = settings;
    this.#settings = settings;
    this.#cache = cache.files;
    this.#misses = new LruCache(cacheSize === 0 ? 0 : missesBytes);
    this.#root = new StaticRoot(settings.root, settings.symlinks);
    this.#lookup = new FileLookup(this.#root, settings);
    this.#store = new FileStore(settings, cache);
    this.#listings = new FolderListings(settings, this.#root);
    this.#log = log;
    this.#precompressed =
      precompressed.length === 0 ? null : new Precompressed(this.#root, precompressed, cacheSize > 0);
    this.#answerMissing = tryFiles === null ? null : compileTryFilesEnd(tryFiles[tryFiles.length - 1]);
    this.#isPlain = this.#precompressed === null && this.#lookup.isByPath;
  }

  handle(exchange: Exchange): Answer | Promise<Answer> {
    const { method } = exchange;
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpError('TSS_METHOD', `${method} on a file`, ['Allow', 'GET, HEAD']);
    }
    const cached = this.#isPlain ? this.#cache.get(exchange.path) : this.#findCached(exchange.path, exchange);
    if (cached === undefined || monotonicMs() - cached.checkedAtMs >= recheckAfterMs) {
      return this.#answerFromDisk(exchange);
    }
    return isConditional(exchange.fields) ? answerFile(exchange, cached) : cached.reply;
  }

  #findCached(key: string, exchange: Exchange): CachedFile | undefined {
    // Keys are then paths of files: which one it is must be looked for.
    if (!this.#lookup.isByPath) return undefined;
    if (this.#precompressed === null) return this.#cache.get(key);
    const fileKey = this.#precompressed.toFileKey(key, exchange.fields, recheckAfterMs);
    return fileKey === null ? undefined : this.#cache.get(fileKey);
  }

  #answerFromDisk(exchange: Exchange): Answer | Promise<Answer> {
    const path = this.#toFilePath(exchange.path);
    if (path === null) return unservable;
    // Under paths of files, not of requests, none is kept twice, however many ways variables make to it.
    const key = this.#lookup.isByPath ? exchange.path : null;
    if (key !== null && this.#isKnownMiss(key)) return this.#answerMiss(path, exchange);
    const located = this.#locate(key, path, exchange, () => this.#look(path, exchange));
    if (located === null) return this.#answerMiss(path, exchange);
    if (located instanceof Reply) return located;
    if (!('folder' in located)) return answerFile(exchange, located);
    return this.#listings.answer(exchange, located.folder);
  }

  #look(path: string, exchange: Exchange): Looked {
    const { cleanUrls, stripPrefix, index } = this.#settings;
    // After an internal redirect the client does not know the path that would be redirected.
    if (cleanUrls && !exchange.redirected) {
      const clean = findCleanPath(this.#root, path, index);
      if (clean !== null) return redirectTo(stripPrefix + clean, exchange);
    }
    const found = this.#lookup.find(path, exchange);
    return found === 'unslashed' ? redirectTo(`${exchange.path}/`, exchange) : found;
  }

  /** The path below the root, or null for one that can't name a file there. */
  #toFilePath(requestPath: string): string | null {
    const { stripPrefix, tryFiles, dotfiles } = this.#settings;
    let path = requestPath;
    if (stripPrefix !== '') {
      // Only whole segments: "/files" is no prefix of "/files-of-others".
      if (!path.startsWith(stripPrefix)) return null;
      path = path.slice(stripPrefix.length);
      if (path === '') return path;
    }
    // With tryFiles a path may name something else than a file: a page of an application.
    if (tryFiles !== null && path.startsWith('/')) return path;
    return isServablePath(path, dotfiles) ? path : null;
  }

  #isKnownMiss(key: string): boolean {
    const missedAtMs = this.#misses.get(key);
    return missedAtMs !== undefined && monotonicMs() - missedAtMs < missedForMs;
  }

  #answerMiss(path: string, exchange: Exchange): Answer {
    if (this.#answerMissing !== null) return this.#answerMissing(path, exchange);
    const { fallback } = this.#settings;
    if (fallback === null || !isNavigation(exchange)) return missing;
    const cached = this.#findCached(fallbackKey, exchange);
    if (cached !== undefined && monotonicMs() - cached.checkedAtMs < recheckAfterMs) {
      return answerFile(exchange, cached);
    }
    const located = this.#locate(fallbackKey, fallback, exchange, () => {
      const found = findFile(this.#root, fallback);
      return found === 'folder' ? null : found;
    });
    return located === null || 'folder' in located || located instanceof Reply
      ? missing
      : answerFile(exchange, located);
  }

  /** What is found, a file ready to be answered from. Null for nothing. Throws an HttpError. */
  #locate(
    key: string | null,
    path: string,
    exchange: Exchange,
    look: () => Looked,
  ): ServedFile | FoundFolder | Reply | null {
    try {
      const found = look();
      if (found !== null && !(found instanceof Reply) && 'file' in found) {
        return this.#load(key ?? found.path, found, exchange);
      }
      if (key === null) return found;
      if (found === null) this.#misses.set(key, monotonicMs(), missBytes + 2 * key.length);
      this.#cache.delete(key);
      return found;
    } catch (error) {
      const fileKey = this.#toFileKey(key ?? path, exchange);
      const cached = this.#cache.get(fileKey);
      // Rather an answer that may be a little old than none.
      if (cached !== undefined && isOutOfDescriptors(error)) return this.#extend(cached);
      this.#cache.delete(fileKey);
      throw toFileError(error, path);
    }
  }

  /** The key of the file that a request got last. */
  #toFileKey(key: string, { fields }: Exchange): string {
    return this.#precompressed?.toFileKey(key, fields, Number.POSITIVE_INFINITY) ?? key;
  }

  #load(key: string, original: FoundFile, exchange: Exchange): ServedFile {
    if (this.#precompressed === null) return this.#store.load(key, original);
    const { fileKey, found } = this.#precompressed.choose(key, original, exchange.fields);
    return this.#store.load(fileKey, found);
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

function redirectTo(path: string, exchange: Exchange): Reply {
  return new Reply(301, ['Location', toLocalReference(path, exchange.query)], null);
}
