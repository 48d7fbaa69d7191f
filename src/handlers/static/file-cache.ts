// What of a folder is in memory: small files whole, large ones in pieces, each kind with a bound of its own, so that
// neither can push out the other.

import { LruCache } from '../../base/lru-cache.ts';
import { PieceCache } from './piece-cache.ts';
import type { CachedFile } from './served-file.ts';
import type { StaticSettings } from './static-shape.ts';

/** What a cached file weighs besides its bytes: two replies, their fields, the key. */
export const cachedFileBytes = 1_024;

/** The memory of one root: kept while Sites change. */
export class FileCache {
  /** Whole files by request path. */
  readonly files: LruCache<CachedFile>;
  readonly pieces: PieceCache;

  constructor({ cacheSize, largeCacheSize }: StaticSettings) {
    this.files = new LruCache(cacheSize);
    this.pieces = new PieceCache(largeCacheSize);
  }

  /** Forgets everything. It can be filled again. */
  close(): void {
    this.files.close();
    this.pieces.close();
  }
}
