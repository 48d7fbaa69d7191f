// Replies to compress, ways to read them, and sources that behave as a test wants.

import zlib from 'node:zlib';
import { SharedPool } from '../../../src/base/shared-pool.ts';
import type { ContentCoding } from '../../../src/message/accept-encoding.ts';
import type { BodySource, OnChunk } from '../../../src/message/body.ts';
import { Exchange } from '../../../src/message/exchange.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handle } from '../../../src/message/handler.ts';
import { type Answer, Reply } from '../../../src/message/reply.ts';
import type { WrittenCompression } from '../../../src/middleware/compression/compression-shape.ts';
import {
  type Compression,
  createCompression,
} from '../../../src/middleware/compression/create-compression.ts';
import { hasEncoding } from '../../../src/middleware/compression/encode-bytes.ts';
import { mergeCompression } from '../../../src/middleware/compression/merge-compression.ts';

const connection = {
  peerAddress: '192.0.2.1',
  peerPort: 40_000,
  localAddress: '192.0.2.2',
  localPort: 80,
  scheme: 'http' as const,
  listenerKey: 'tcp:*:80',
  serial: 1,
};

/** The codings of the Node that runs the test. */
export const encodings: readonly ContentCoding[] = (['br', 'zstd', 'gzip'] as const).filter(hasEncoding);

/** A request for /a.js. */
export function createExchange(
  fields: Record<string, string> = {},
  method = 'GET',
  path = '/a.js',
): Exchange {
  const flat = Object.entries(fields).flat();
  const exchange = new Exchange(connection, method, path, '1.1', flat, 'example.com');
  exchange.path = path;
  return exchange;
}

/** A text that shrinks well, and is unlike others with another seed. */
export function createText(length: number, seed = 1): string {
  let text = '';
  for (let i = seed; text.length < length; i = (i * 48_271) % 2_147_483_647) text += `word${i % 1_000} `;
  return text.slice(0, length);
}

/** A reply whose body is at hand. */
export function createBytesReply(body: string | Uint8Array, fields: string[] = [], shared = false): Reply {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return new Reply(200, ['Content-Type', 'text/javascript', ...fields], { kind: 'bytes', bytes }, shared);
}

/** A reply whose body is pulled. */
export function createStreamReply(source: BodySource, fields: string[] = [], type = 'text/html'): Reply {
  return new Reply(200, ['Content-Type', type, ...fields], { kind: 'stream', source });
}

/** Gives what it has at once, and waits for more until it is told the end. */
export class FedSource implements BodySource {
  readonly length: number | null;
  isCancelled = false;
  recycled = 0;
  /** How many chunks were asked for. */
  reads = 0;
  #queue: (Uint8Array | Error | null)[] = [];
  #reader: OnChunk | null = null;

  constructor(length: number | null = null) {
    this.length = length;
  }

  get isAwaited(): boolean {
    return this.#reader !== null;
  }

  push(...items: (string | Uint8Array | Error | null)[]): void {
    this.#queue.push(...items.map((item) => (typeof item === 'string' ? Buffer.from(item) : item)));
    this.#serve();
  }

  read(onChunk: OnChunk): void {
    this.reads++;
    this.#reader = onChunk;
    this.#serve();
  }

  recycle(chunk: Uint8Array): void {
    this.recycled++;
    chunk.fill(0xff);
  }

  cancel(): void {
    this.isCancelled = true;
    this.#reader = null;
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === null || this.#queue.length === 0) return;
    const item = this.#queue.shift() as Uint8Array | Error | null;
    this.#reader = null;
    if (item instanceof Error) reader(item, null);
    else reader(null, item);
  }
}

/** Compression of one route. */
export class CompressionFixture {
  readonly pool: SharedPool;
  readonly compression: Compression;

  constructor(written: WrittenCompression = true, answersFiles = false, pool = new SharedPool()) {
    this.pool = pool;
    const settings = mergeCompression(written);
    if (settings === null) throw new Error('compression is off');
    this.compression = createCompression(settings, { shared: this.pool, answersFiles });
  }

  /** The answer to a request, given the handler or its answer. */
  async ask(exchange: Exchange, next: Handle | Answer): Promise<Answer> {
    return await this.compression.wrap(typeof next === 'function' ? next : () => next)(exchange);
  }

  /** The same, where the answer is a reply. */
  async askReply(exchange: Exchange, next: Handle | Answer): Promise<Reply> {
    const answer = await this.ask(exchange, next);
    if (!(answer instanceof Reply)) throw new Error('no reply');
    return answer;
  }
}

/** One chunk of a source; null at its end. */
export function readChunk(source: BodySource): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    source.read((error, chunk) => (error === null ? resolve(chunk) : reject(error)));
  });
}

/** All bytes of a reply's body. */
export async function readBody(reply: Reply): Promise<Buffer> {
  const { body } = reply;
  if (body === null) return Buffer.alloc(0);
  if (body.kind === 'bytes') return Buffer.from(body.bytes);
  if (body.kind !== 'stream') throw new Error('a tunnel');
  const chunks: Uint8Array[] = [];
  for (let chunk = await readChunk(body.source); chunk !== null; chunk = await readChunk(body.source))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The body as the client that undoes its Content-Encoding sees it. */
export async function readPlainBody(reply: Reply): Promise<Buffer> {
  return decode(await readBody(reply), getField(reply.fields, 'content-encoding'));
}

/** Undoes a coding, also of a body that ends in the middle. */
export function decode(bytes: Uint8Array, encoding: string | undefined, isPart = false): Buffer {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  if (encoding === undefined) return Buffer.from(bytes);
  if (encoding === 'gzip') return zlib.gunzipSync(bytes, isPart ? { finishFlush: Z_SYNC_FLUSH } : {});
  if (encoding === 'br')
    return zlib.brotliDecompressSync(bytes, isPart ? { finishFlush: BROTLI_OPERATION_FLUSH } : {});
  const { zstdDecompressSync, constants } = zlib as unknown as {
    zstdDecompressSync(bytes: Uint8Array, options: object): Buffer;
    constants: Record<string, number>;
  };
  return zstdDecompressSync(bytes, isPart ? { finishFlush: constants.ZSTD_e_flush } : {});
}
