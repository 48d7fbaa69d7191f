// The `compress` settings of all levels of a config become one.

import type { ContentCoding } from '../../message/accept-encoding.ts';
import { defaultTypes } from './compressible-types.ts';
import type { WrittenCompression } from './compression-shape.ts';

/** A level for each coding. */
export type Levels = Readonly<Record<ContentCoding, number>>;

/** What is compressed, and how. Sizes in bytes. */
export interface CompressionSettings {
  /** In the server's order of preference. */
  readonly encodings: readonly ContentCoding[];
  readonly types: readonly string[];
  readonly minSize: number;
  /** For bodies that are sent while they are compressed. */
  readonly levels: Levels;
  /** For bodies that are kept. */
  readonly keptLevels: Levels;
  readonly cacheSize: number;
}

const defaults: CompressionSettings = {
  encodings: ['br', 'zstd', 'gzip'],
  types: defaultTypes,
  minSize: 1_024,
  levels: { gzip: 4, br: 4, zstd: 3 },
  keptLevels: { gzip: 9, br: 11, zstd: 19 },
  cacheSize: 32 * 1024 * 1024,
};

/**
 * Merges levels, outermost first: the innermost that says anything decides whether to compress, and each key is the
 * innermost one's that has it. Null when nothing is compressed.
 */
export function mergeCompression(
  ...levels: readonly (WrittenCompression | undefined)[]
): CompressionSettings | null {
  let isOn = false;
  let merged = defaults;
  for (const level of levels) {
    if (level === undefined) continue;
    isOn = level !== false;
    if (typeof level === 'object') merged = overlay(merged, level);
  }
  return isOn ? merged : null;
}

function overlay(
  outer: CompressionSettings,
  inner: Exclude<WrittenCompression, boolean>,
): CompressionSettings {
  return {
    encodings: inner.encodings ?? outer.encodings,
    types: inner.types ?? outer.types,
    minSize: inner.minSize ?? outer.minSize,
    levels: overlayLevels(outer.levels, inner.levels),
    keptLevels: overlayLevels(outer.keptLevels, inner.keptLevels),
    cacheSize: inner.cacheSize ?? outer.cacheSize,
  };
}

function overlayLevels(
  outer: Levels,
  inner: { readonly [encoding in ContentCoding]?: number | undefined } = {},
): Levels {
  return { gzip: inner.gzip ?? outer.gzip, br: inner.br ?? outer.br, zstd: inner.zstd ?? outer.zstd };
}
