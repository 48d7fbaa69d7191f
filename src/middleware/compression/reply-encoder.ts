// Gives a reply its encoded body: a kept one, one made now, or one made while it is sent. Replies that many requests
// share stay shared, so that a protocol room renders the encoded one once, too.

import type { ContentCoding } from '../../message/accept-encoding.ts';
import { addVary } from '../../message/add-vary.ts';
import type { BodySource } from '../../message/body.ts';
import { AnnouncedBody } from '../../message/client-response-body.ts';
import { isWeakTag } from '../../message/entity-tag.ts';
import type { Exchange } from '../../message/exchange.ts';
import { getField, hasField } from '../../message/fields.ts';
import { Reply } from '../../message/reply.ts';
import type { CompressionWork } from './compression-work.ts';
import { encodeBytesNow } from './encode-bytes.ts';
import { markEncoded, suffixTag } from './encoded-fields.ts';
import { EncodedSource } from './encoded-source.ts';
import { compileVerdict, type Verdict } from './is-compressible.ts';
import { createKeptReply, type KeptBodies, type KeptBody, toKey } from './kept-bodies.ts';
import type { CompressionSettings } from './merge-compression.ts';

// Below, a thread costs more than the work: measured, 8 KiB take 40-120 µs here, and twice that on a thread.
const maxBytesAtOnce = 8 * 1024;

/** What is known of a shared reply. */
interface Plan {
  /** The reply for those who accept no coding. */
  readonly plain: Reply;
  /** Where its body is kept; null when it is not encoded. */
  readonly keys: Readonly<Record<ContentCoding, string>> | null;
}

/** Encodes the replies of one route. */
export class ReplyEncoder {
  readonly #settings: CompressionSettings;
  readonly #work: CompressionWork;
  readonly #bodies: KeptBodies;
  readonly #answersFiles: boolean;
  readonly #judge: (reply: Reply) => Verdict;
  readonly #plans = new WeakMap<Reply, Plan>();
  /** Shared 304s for who has the encoded body. */
  readonly #notModified: Readonly<Record<ContentCoding, WeakMap<Reply, Reply>>> = {
    br: new WeakMap(),
    zstd: new WeakMap(),
    gzip: new WeakMap(),
  };

  /** @param answersFiles whether a strong entity tag tells every version of every file from all others */
  constructor(
    settings: CompressionSettings,
    work: CompressionWork,
    bodies: KeptBodies,
    answersFiles: boolean,
  ) {
    this.#settings = settings;
    this.#work = work;
    this.#bodies = bodies;
    this.#answersFiles = answersFiles;
    this.#judge = compileVerdict(settings);
  }

  /** The reply as it goes to a client that wants this coding, or none. */
  encode(exchange: Exchange, reply: Reply, encoding: ContentCoding | null): Reply | Promise<Reply> {
    if (reply.shared) return this.#encodeShared(reply, encoding);
    const verdict = this.#judge(reply);
    if (verdict === 'leave') return reply;
    addVary(reply.fields, 'Accept-Encoding');
    if (verdict === 'vary' || encoding === null || this.#mayLeakSecrets(exchange)) return reply;
    const { body } = reply;
    if (body?.kind === 'stream') return this.#encodeStream(exchange, reply, body.source, encoding);
    if (exchange.method === 'HEAD') return announce(reply, encoding);
    return body?.kind === 'bytes' ? this.#encodeBytes(reply, body.bytes, encoding) : reply;
  }

  /** A 304 for a client that has the body in this coding. */
  encodeNotModified(reply: Reply, encoding: ContentCoding): Reply {
    const known = this.#notModified[encoding].get(reply);
    if (known !== undefined) return known;
    const encoded = reply.shared ? copyShared(reply) : reply;
    addVary(encoded.fields, 'Accept-Encoding');
    suffixTag(encoded.fields, encoding);
    if (reply.shared) this.#notModified[encoding].set(reply, encoded);
    return encoded;
  }

  /**
   * Whether a page of another site had the browser send this request with the user's credentials: whoever can do so
   * and sees the lengths of the answers can guess secrets in them (BREACH, CVE-2013-3587). Files hold none.
   */
  #mayLeakSecrets({ fields }: Exchange): boolean {
    if (this.#answersFiles || getField(fields, 'sec-fetch-site') !== 'cross-site') return false;
    return hasField(fields, 'cookie') || hasField(fields, 'authorization');
  }

  #encodeShared(reply: Reply, encoding: ContentCoding | null): Reply | Promise<Reply> {
    const { plain, keys } = this.#plans.get(reply) ?? this.#makePlan(reply);
    const { body } = plain;
    if (encoding === null || keys === null || body?.kind !== 'bytes') return plain;
    return this.#encodeKept(plain, keys[encoding], body.bytes, encoding);
  }

  #makePlan(reply: Reply): Plan {
    const verdict = this.#judge(reply);
    const plain = verdict === 'leave' ? reply : copyShared(reply);
    if (plain !== reply) addVary(plain.fields, 'Accept-Encoding');
    const { body } = plain;
    const name = verdict === 'encode' && body?.kind === 'bytes' ? this.#bodies.nameBytes(body.bytes) : null;
    const keys =
      name === null ? null : { br: toKey(name, 'br'), zstd: toKey(name, 'zstd'), gzip: toKey(name, 'gzip') };
    const plan = { plain, keys };
    this.#plans.set(reply, plan);
    return plan;
  }

  #encodeKept(reply: Reply, key: string, bytes: Uint8Array, encoding: ContentCoding): Reply | Promise<Reply> {
    const kept = this.#bodies.find(key, encoding, bytes);
    if (kept !== undefined) return createKeptReply(reply, kept, encoding);
    return new Promise((resolve) => {
      const onKept = (made: KeptBody | null) =>
        resolve(made === null ? reply : createKeptReply(reply, made, encoding));
      if (!this.#bodies.make(key, encoding, bytes, onKept)) resolve(reply);
    });
  }

  #encodeBytes(reply: Reply, bytes: Uint8Array, encoding: ContentCoding): Reply | Promise<Reply> {
    if (this.#answersFiles) {
      // Replies of their own may share a file's bytes, as when a field of them holds a variable. Once is no sign of it.
      const wasMet = this.#bodies.isNamed(bytes);
      const name = this.#bodies.nameBytes(bytes);
      if (wasMet) return this.#encodeKept(reply, toKey(name, encoding), bytes, encoding);
    }
    if (bytes.length <= maxBytesAtOnce) {
      const encoded = encodeBytesNow(encoding, this.#settings.levels[encoding], bytes);
      return encoded === null ? reply : createSmallerReply(reply, bytes, encoded, encoding);
    }
    return new Promise((resolve) => {
      const isBegun = this.#bodies.encode(encoding, bytes, (error, encoded) =>
        resolve(error === null ? createSmallerReply(reply, bytes, encoded, encoding) : reply),
      );
      if (!isBegun) resolve(reply);
    });
  }

  #encodeStream(exchange: Exchange, reply: Reply, source: BodySource, encoding: ContentCoding): Reply {
    const name = this.#nameStream(exchange, reply, source);
    const key = name === null ? null : toKey(name, encoding);
    const kept = key === null ? undefined : this.#bodies.find(key, encoding, null);
    if (kept !== undefined) {
      if (kept.bytes !== null) source.cancel();
      return createKeptReply(reply, kept, encoding);
    }
    if (exchange.method === 'HEAD') return announce(reply, encoding);
    return this.#work.hasEncoder ? this.#encodeSource(reply, source, encoding, key) : reply;
  }

  /** What tells the bytes of a file from all others; null when nothing does. */
  #nameStream(exchange: Exchange, reply: Reply, { length }: BodySource): string | null {
    if (!this.#answersFiles || length === null || reply.status !== 200) return null;
    const tag = getField(reply.fields, 'etag');
    if (tag === undefined || isWeakTag(tag)) return null;
    return [exchange.path, tag, length, getField(reply.fields, 'last-modified')].join(' ');
  }

  #encodeSource(reply: Reply, source: BodySource, encoding: ContentCoding, key: string | null): Reply {
    const bodies = this.#bodies;
    const plainBytes = source.length ?? 0;
    const collects = key !== null && bodies.beginCollecting(key);
    const options = {
      encoding,
      level: this.#settings.levels[encoding],
      flushesEach: getField(reply.fields, 'content-type')?.startsWith('text/event-stream') ?? false,
      maxKeptBytes: bodies.maxBodyBytes,
      onComplete: collects ? (encoded: Buffer | null) => bodies.collect(key, encoded, plainBytes) : null,
    };
    let encoded: BodySource;
    try {
      encoded = new EncodedSource(source, options, this.#work);
    } catch {
      // Without memory for an encoder there is still enough for the body itself.
      options.onComplete?.(null);
      return reply;
    }
    markEncoded(reply.fields, encoding);
    return new Reply(reply.status, reply.fields, { kind: 'stream', source: encoded });
  }
}

function copyShared(reply: Reply): Reply {
  return new Reply(reply.status, [...reply.fields], reply.body, true);
}

function createSmallerReply(
  reply: Reply,
  plain: Uint8Array,
  encoded: Buffer,
  encoding: ContentCoding,
): Reply {
  if (encoded.length >= plain.length) return reply;
  markEncoded(reply.fields, encoding);
  return new Reply(reply.status, reply.fields, { kind: 'bytes', bytes: encoded });
}

/** The answer to HEAD where the encoded body is not at hand: its length is only known when it has been made. */
function announce(reply: Reply, encoding: ContentCoding): Reply {
  const { body } = reply;
  if (body?.kind === 'stream') body.source.cancel();
  markEncoded(reply.fields, encoding);
  return new Reply(reply.status, reply.fields, { kind: 'stream', source: new AnnouncedBody(null) });
}
