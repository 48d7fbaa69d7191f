// Encoded bodies in memory, bounded in bytes. The first use of a body is encoded quickly, since a client waits; its
// second use has it encoded again as well as can be, in the background: most files of a site are asked for once.

import { LruCache } from '../../base/lru-cache.ts';
import type { ContentCoding } from '../../message/accept-encoding.ts';
import { Reply } from '../../message/reply.ts';
import type { CompressionWork } from './compression-work.ts';
import { decodeBytes, encodeBytes, type OnBytes } from './encode-bytes.ts';
import { markEncoded } from './encoded-fields.ts';
import type { CompressionSettings } from './merge-compression.ts';

/** A body in one coding. */
export interface KeptBody {
  /** Null when the plain body is not longer than the encoded one. */
  readonly bytes: Buffer | null;
  /** Replies with these bytes, by the shared reply that they stand for. */
  readonly replies: WeakMap<Reply, Reply>;
  /** Length of the plain body. */
  readonly plainBytes: number;
  /** Whether it is as small as it will be, or is being made so. */
  isFinal: boolean;
}

/** Is given a kept body, or null when it could not be made. */
export type OnKept = (kept: KeptBody | null) => void;

// What an entry weighs besides its bytes, which a rendered reply holds a second time.
const entryBytes = 1_024;
const copies = 2;
// At the highest levels a MiB takes a thread two seconds.
const maxThoroughBytes = 4 * 1024 * 1024;
const maxBodyShare = 4;

/** The memory of all routes with the same settings: kept while Sites change. */
export class KeptBodies {
  readonly #settings: CompressionSettings;
  readonly #work: CompressionWork;
  readonly #bodies: LruCache<KeptBody>;
  /** Names of plain bodies, by their identity. */
  readonly #names = new WeakMap<Uint8Array, string>();
  /** Who waits for a body that is being made, by key. */
  readonly #awaited = new Map<string, OnKept[]>();
  /** Keys of bodies that are being collected while they are sent. */
  readonly #collected = new Set<string>();
  #lastName = 0;
  #isClosed = false;

  constructor(settings: CompressionSettings, work: CompressionWork) {
    this.#settings = settings;
    this.#work = work;
    this.#bodies = new LruCache(settings.cacheSize);
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bodies.bytes;
  }

  /** Longest encoded body that is worth collecting. */
  get maxBodyBytes(): number {
    return Math.floor(this.#settings.cacheSize / copies / maxBodyShare);
  }

  /** Whether these bytes were met before. */
  isNamed(bytes: Uint8Array): boolean {
    return this.#names.has(bytes);
  }

  /** The name of bytes that stay the same for as long as they are there. */
  nameBytes(bytes: Uint8Array): string {
    let name = this.#names.get(bytes);
    if (name === undefined) {
      name = `#${++this.#lastName}`;
      this.#names.set(bytes, name);
    }
    return name;
  }

  /** A body that was kept; a better one may take its place soon. `plain` are its plain bytes, null to decode them. */
  find(key: string, encoding: ContentCoding, plain: Uint8Array | null): KeptBody | undefined {
    const kept = this.#bodies.get(key);
    if (kept !== undefined && !kept.isFinal) this.#improve(key, encoding, kept, plain);
    return kept;
  }

  /** Encodes bytes quickly and keeps them, once for all who ask meanwhile. False when there is too much to do already. */
  make(key: string, encoding: ContentCoding, plain: Uint8Array, onKept: OnKept): boolean {
    const awaiting = this.#awaited.get(key);
    if (awaiting !== undefined) {
      awaiting.push(onKept);
      return true;
    }
    if (this.#work.quick.isFull) return false;
    const waiting = [onKept];
    this.#awaited.set(key, waiting);
    this.encode(encoding, plain, (error, encoded) => {
      this.#awaited.delete(key);
      const kept = error === null ? this.#keep(key, encoded, plain.length) : null;
      for (const tell of waiting) tell(kept);
    });
    return true;
  }

  /** Encodes bytes quickly, keeping nothing. False when there is too much to do already; `onBytes` comes later. */
  encode(encoding: ContentCoding, plain: Uint8Array, onBytes: OnBytes): boolean {
    const { quick } = this.#work;
    if (quick.isFull) return false;
    quick.run((done) => {
      encodeBytes(encoding, this.#settings.levels[encoding], plain, (error, encoded) => {
        done();
        onBytes(error, encoded);
      });
    });
    return true;
  }

  /** Whether the caller is the one to collect this body and give it to `collect`. */
  beginCollecting(key: string): boolean {
    if (this.#collected.has(key) || this.#collected.size >= maxBodyShare || this.maxBodyBytes === 0)
      return false;
    this.#collected.add(key);
    return true;
  }

  /** Keeps what was collected; null when that came to nothing. */
  collect(key: string, encoded: Buffer | null, plainBytes: number): void {
    this.#collected.delete(key);
    if (encoded !== null) this.#keep(key, encoded, plainBytes);
  }

  /** Forgets everything, and keeps nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#bodies.close();
  }

  #keep(key: string, encoded: Buffer, plainBytes: number, isFinal = false): KeptBody {
    const bytes = encoded.length < plainBytes ? encoded : null;
    // A larger buffer of zlib's may stand behind a small result.
    const own = bytes !== null && bytes.buffer.byteLength > 2 * bytes.length ? Buffer.from(bytes) : bytes;
    const kept = { bytes: own, replies: new WeakMap<Reply, Reply>(), plainBytes, isFinal };
    if (!this.#isClosed) this.#bodies.set(key, kept, copies * (own?.length ?? 0) + entryBytes);
    return kept;
  }

  #improve(key: string, encoding: ContentCoding, kept: KeptBody, plain: Uint8Array | null): void {
    const { thorough } = this.#work;
    if (thorough.isFull) return;
    kept.isFinal = true;
    if (kept.bytes === null || kept.plainBytes > maxThoroughBytes) return;
    const level = this.#settings.keptLevels[encoding];
    if (level <= this.#settings.levels[encoding]) return;
    const { bytes, plainBytes } = kept;
    thorough.run((done) => {
      const finish = (error: Error | null, encoded: Buffer) => {
        done();
        // Nobody may have asked for it all the while.
        if (error === null && encoded.length < bytes.length && this.#bodies.get(key) === kept)
          this.#keep(key, encoded, plainBytes, true);
      };
      if (plain !== null) {
        encodeBytes(encoding, level, plain, finish);
        return;
      }
      decodeBytes(encoding, bytes, plainBytes, (error, decoded) => {
        if (error !== null) done();
        else encodeBytes(encoding, level, decoded, finish);
      });
    });
  }
}

/** The reply with a kept body in place of the plain one. Its Vary is there already. */
export function createKeptReply(reply: Reply, kept: KeptBody, encoding: ContentCoding): Reply {
  if (kept.bytes === null) return reply;
  const known = reply.shared ? kept.replies.get(reply) : undefined;
  if (known !== undefined) return known;
  const fields = reply.shared ? [...reply.fields] : reply.fields;
  markEncoded(fields, encoding);
  const encoded = new Reply(reply.status, fields, { kind: 'bytes', bytes: kept.bytes }, reply.shared);
  if (reply.shared) kept.replies.set(reply, encoded);
  return encoded;
}

/** The key of a named body in one coding. */
export function toKey(name: string, encoding: ContentCoding): string {
  return `${encoding} ${name}`;
}
