// The codings themselves, as node:zlib has them. What zlib can't do fails with its own error.

import zlib from 'node:zlib';
import type { ContentCoding } from '../../message/accept-encoding.ts';

/** Receives encoded or decoded bytes. */
export type OnBytes = (error: Error | null, bytes: Buffer) => void;

/** A stream of zlib: bytes in, encoded bytes out. */
export type Encoder = zlib.Gzip | zlib.BrotliCompress;

type WholeCoder = (bytes: Uint8Array, options: object, onBytes: OnBytes) => void;

/** The part of node:zlib that came with Node 22.15, which the types of Node 20 do not know. */
interface ZstdModule {
  readonly createZstdCompress?: (options: object) => Encoder;
  readonly zstdCompress: WholeCoder;
  readonly zstdCompressSync: (bytes: Uint8Array, options: object) => Buffer;
  readonly zstdDecompress: WholeCoder;
}

const zstd = zlib as unknown as ZstdModule;
const { constants } = zlib;
const zstdParameters = constants as unknown as Readonly<Record<string, number>>;

// A stream holds its window for as long as it lasts: 512 KiB lose little against Brotli's and Zstandard's own choice.
const streamWindowBits = 19;
// No more is understood everywhere (RFC 9659).
const maxZstdWindowBits = 23;

const flushes: Readonly<Record<ContentCoding, number>> = {
  gzip: constants.Z_SYNC_FLUSH,
  br: constants.BROTLI_OPERATION_FLUSH,
  zstd: zstdParameters.ZSTD_e_flush,
};
const lastFlushes: Readonly<Record<ContentCoding, number>> = {
  gzip: constants.Z_FINISH,
  br: constants.BROTLI_OPERATION_FINISH,
  zstd: zstdParameters.ZSTD_e_end,
};

/** Whether this Node has a coding. */
export function hasEncoding(encoding: ContentCoding): boolean {
  return encoding !== 'zstd' || zstd.createZstdCompress !== undefined;
}

/** Makes an encoder for a body of unknown length. It lets out every piece at once if `flushesEach`. */
export function createEncoder(encoding: ContentCoding, level: number, flushesEach: boolean): Encoder {
  // Whoever uses it takes all output after each piece of input.
  const common = { chunkSize: 32 * 1024, readableHighWaterMark: Number.MAX_SAFE_INTEGER };
  const flush = flushesEach ? { flush: flushes[encoding] } : {};
  if (encoding === 'gzip') {
    return zlib.createGzip({ ...common, level, ...flush });
  }
  if (encoding === 'br') {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: streamWindowBits,
    };
    return zlib.createBrotliCompress({ ...common, params, ...flush });
  }
  if (zstd.createZstdCompress === undefined) throw new Error('this Node has no Zstandard');
  const params = {
    [zstdParameters.ZSTD_c_compressionLevel]: level,
    [zstdParameters.ZSTD_c_windowLog]: streamWindowBits,
  };
  return zstd.createZstdCompress({ ...common, params, ...flush });
}

/** Has the encoder let out all that it holds; `isLast` ends the body. The encoder is then to be destroyed. */
export function flushEncoder(
  encoding: ContentCoding,
  encoder: Encoder,
  isLast: boolean,
  onFlushed: (error?: Error | null) => void,
): void {
  // The end of a zlib stream comes before its last output does: an explicit last flush has it in hand.
  encoder.flush(isLast ? lastFlushes[encoding] : flushes[encoding], onFlushed);
}

/** Encodes on a thread of the pool. */
export function encodeBytes(
  encoding: ContentCoding,
  level: number,
  bytes: Uint8Array,
  onBytes: OnBytes,
): void {
  const options = createWholeOptions(encoding, level, bytes.length);
  try {
    if (encoding === 'gzip') zlib.gzip(bytes, options, onBytes);
    else if (encoding === 'br') zlib.brotliCompress(bytes, options, onBytes);
    else zstd.zstdCompress(bytes, options, onBytes);
  } catch (error) {
    // Without memory for it, zlib fails at once.
    onBytes(error as Error, Buffer.alloc(0));
  }
}

/** Encodes here and now, for so few bytes that a thread would cost more. Null when that fails. */
export function encodeBytesNow(encoding: ContentCoding, level: number, bytes: Uint8Array): Buffer | null {
  const options = createWholeOptions(encoding, level, bytes.length);
  try {
    if (encoding === 'gzip') return zlib.gzipSync(bytes, options);
    if (encoding === 'br') return zlib.brotliCompressSync(bytes, options);
    return zstd.zstdCompressSync(bytes, options);
  } catch {
    return null;
  }
}

/** Undoes {@link encodeBytes}. Fails when more than `maxBytes` come out. */
export function decodeBytes(
  encoding: ContentCoding,
  bytes: Uint8Array,
  maxBytes: number,
  onBytes: OnBytes,
): void {
  const options = { maxOutputLength: Math.max(maxBytes, 1) };
  try {
    if (encoding === 'gzip') zlib.gunzip(bytes, options, onBytes);
    else if (encoding === 'br') zlib.brotliDecompress(bytes, options, onBytes);
    else zstd.zstdDecompress(bytes, options, onBytes);
  } catch (error) {
    onBytes(error as Error, Buffer.alloc(0));
  }
}

function createWholeOptions(encoding: ContentCoding, level: number, bytes: number): object {
  if (encoding === 'gzip') return { level };
  if (encoding === 'br') {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
    };
    return { params };
  }
  const params = {
    [zstdParameters.ZSTD_c_compressionLevel]: level,
    [zstdParameters.ZSTD_c_windowLog]: Math.min(
      Math.max(Math.ceil(Math.log2(bytes + 1)), 10),
      maxZstdWindowBits,
    ),
  };
  return { params, pledgedSrcSize: bytes };
}
