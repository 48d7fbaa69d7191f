// The neighbours of a file that hold the same, compressed: "app.js.br" beside "app.js". One that is older than its
// original is of a former version, and not served.

import { closeSync } from 'node:fs';
import { monotonicMs } from '../../base/clock.ts';
import { LruCache } from '../../base/lru-cache.ts';
import { type ChooseCoding, type ContentCoding, compileCodingChoice } from '../../message/accept-encoding.ts';
import type { Fields } from '../../message/fields.ts';
import { describeFound, type FoundFile } from './find-file.ts';
import type { OpenedFile, StaticRoot } from './static-root.ts';

const extensions: Readonly<Record<ContentCoding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };

interface KnownNeighbours {
  readonly checkedAtMs: number;
  readonly choose: ChooseCoding;
}

const knownBytes = 1024 * 1024;
const entryBytes = 256;

/** Knows which files have neighbours, and chooses among them. */
export class Precompressed {
  readonly #root: StaticRoot;
  readonly #codings: readonly ContentCoding[];
  readonly #known: LruCache<KnownNeighbours>;
  /** One for each set of codings, so that each remembers what browsers send. */
  readonly #choices = new Map<string, ChooseCoding>();

  /** @param codings in the order of preference */
  constructor(root: StaticRoot, codings: readonly ContentCoding[], keepsFiles: boolean) {
    this.#root = root;
    this.#codings = codings;
    this.#known = new LruCache(keepsFiles ? knownBytes : 0);
  }

  /** The key of the file that a request gets, or null when its neighbours were not looked at within `maxAgeMs`. */
  toFileKey(key: string, fields: Fields, maxAgeMs: number): string | null {
    const known = this.#known.get(key);
    if (known === undefined || monotonicMs() - known.checkedAtMs >= maxAgeMs) return null;
    return toVariantKey(key, known.choose(fields));
  }

  /** The original or the neighbour that a request gets, and its key. All others, the original too, are closed. */
  choose(key: string, original: FoundFile, fields: Fields): { fileKey: string; found: FoundFile } {
    const neighbours = this.#open(original);
    const choose = this.#compileChoice(neighbours);
    this.#known.set(key, { checkedAtMs: monotonicMs(), choose }, entryBytes + 2 * key.length);
    const coding = choose(fields);
    const all = [{ ...original, varies: neighbours.length > 0 }, ...neighbours];
    const chosen =
      coding === 'identity' ? all[0] : (all.find(({ encoding }) => encoding === coding) ?? all[0]);
    for (const each of all) if (each !== chosen) closeSync(each.file.fd);
    return { fileKey: toVariantKey(key, coding), found: chosen };
  }

  #compileChoice(neighbours: readonly FoundFile[]): ChooseCoding {
    const codings = neighbours.flatMap(({ encoding }) => (encoding === null ? [] : [encoding]));
    const name = codings.join();
    const known = this.#choices.get(name);
    if (known !== undefined) return known;
    const choose = compileCodingChoice(codings);
    this.#choices.set(name, choose);
    return choose;
  }

  #open(original: FoundFile): FoundFile[] {
    const found: FoundFile[] = [];
    for (const coding of this.#codings) {
      const file = openIfAllowed(this.#root, original.path + extensions[coding]);
      if (file === null) continue;
      if (file.stats.isFile() && isFresh(file, original.file)) {
        found.push(describeFound(original.path, file, coding, true));
      } else closeSync(file.fd);
    }
    return found;
  }
}

function toVariantKey(key: string, coding: string): string {
  return coding === 'identity' ? key : `${key}\0${coding}`;
}

/** A neighbour that can't be had is none: the original is there. */
function openIfAllowed(root: StaticRoot, path: string): OpenedFile | null {
  try {
    return root.open(path);
  } catch {
    return null;
  }
}

const second = 1_000_000_000n;

function isFresh(neighbour: OpenedFile, original: OpenedFile): boolean {
  const made = neighbour.stats.mtimeNs;
  const changed = original.stats.mtimeNs;
  // Compressors give their output the time of the input, and some of them cut it to the second.
  return made >= changed || (made % second === 0n && made === changed - (changed % second));
}
