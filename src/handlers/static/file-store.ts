// Makes of an open file something to answer from, and keeps it when it is small enough.

import { closeSync } from 'node:fs';
import { monotonicMs } from '../../base/clock.ts';
import { cachedFileBytes, type FileCache } from './file-cache.ts';
import { isSameVersion } from './file-version.ts';
import type { FoundFile } from './find-file.ts';
import { loadFile, streamFile } from './load-file.ts';
import { compileDescription, type DescribeFile } from './representation.ts';
import type { CachedFile, ServedFile } from './served-file.ts';
import type { StaticSettings } from './static-shape.ts';

/** The files of one root that are in memory, by key. */
export class FileStore {
  readonly #cache: FileCache;
  readonly #describe: DescribeFile;
  readonly #maxFileBytes: number;

  constructor(settings: StaticSettings, cache: FileCache) {
    this.#cache = cache;
    this.#describe = compileDescription(settings);
    this.#maxFileBytes = settings.cacheFileSize;
  }

  /** The file that was found, from memory if it is still the same there. Takes over the descriptor. */
  load(key: string, found: FoundFile): ServedFile {
    const { files, pieces } = this.#cache;
    const cached = files.get(key);
    if (cached !== undefined && isCurrent(cached, found)) {
      closeSync(found.file.fd);
      cached.checkedAtMs = monotonicMs();
      return cached;
    }
    files.delete(key);
    try {
      const loaded = loadFile(found, this.#maxFileBytes, this.#describe);
      if (loaded === null) return streamFile(found, pieces, this.#describe);
      closeSync(found.file.fd);
      if (loaded.mayBeKept) files.set(key, loaded.file, loaded.bytes + cachedFileBytes);
      return loaded.file;
    } catch (error) {
      closeSync(found.file.fd);
      throw error;
    }
  }
}

function isCurrent(cached: CachedFile, found: FoundFile): boolean {
  return (
    cached.path === found.path &&
    cached.representation.varies === found.varies &&
    isSameVersion(cached.version, found.file.stats)
  );
}
