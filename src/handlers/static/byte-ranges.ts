// Several ranges of one file as one body, multipart/byteranges (RFC 9110 14.6): what stands around the parts, and a
// source that gives one part after the other.

import { randomBytes } from 'node:crypto';
import type { BodySource, OnChunk } from '../../message/body.ts';
import type { ByteRange } from '../../message/range.ts';

/** A body of several parts, without the parts. */
export interface ByteRangesFrame {
  /** The media type of it all. */
  readonly mediaType: string;
  /** What comes before each range, in their order. */
  readonly headers: readonly Buffer[];
  readonly end: Buffer;
  /** Bytes of it all. */
  readonly length: number;
}

/** Frames ranges of a file of `size` bytes. The boundary is random: no file can hold it but by chance. */
export function frameByteRanges(
  ranges: readonly ByteRange[],
  mediaType: string,
  size: number,
): ByteRangesFrame {
  const boundary = randomBytes(18).toString('hex');
  const headers = ranges.map(({ first, last }) =>
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${mediaType}\r\nContent-Range: bytes ${first}-${last}/${size}\r\n\r\n`,
      'latin1',
    ),
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  let length = end.length;
  for (const [i, { first, last }] of ranges.entries()) length += headers[i].length + last - first + 1;
  return { mediaType: `multipart/byteranges; boundary=${boundary}`, headers, end, length };
}

/** The body from bytes that are at hand. */
export function joinByteRanges(
  frame: ByteRangesFrame,
  ranges: readonly ByteRange[],
  bytes: Uint8Array,
): Buffer {
  const parts: Uint8Array[] = [];
  for (const [i, { first, last }] of ranges.entries()) {
    parts.push(frame.headers[i], bytes.subarray(first, last + 1));
  }
  return Buffer.concat([...parts, frame.end], frame.length);
}

/** Opens the bytes of one range. `isLast`: nothing is asked for after it. */
export type OpenPart = (first: number, length: number, isLast: boolean) => BodySource;

/** The body from sources that are opened one after the other. `discard` is called if none is open when it is cancelled. */
export class ByteRangesSource implements BodySource {
  readonly length: number;
  readonly #frame: ByteRangesFrame;
  readonly #ranges: readonly ByteRange[];
  readonly #openPart: OpenPart;
  readonly #discard: () => void;
  #index = 0;
  #part: BodySource | null = null;
  #onChunk: OnChunk | null = null;
  #isOver = false;

  constructor(frame: ByteRangesFrame, ranges: readonly ByteRange[], openPart: OpenPart, discard: () => void) {
    this.length = frame.length;
    this.#frame = frame;
    this.#ranges = ranges;
    this.#openPart = openPart;
    this.#discard = discard;
  }

  read(onChunk: OnChunk): void {
    if (this.#part !== null) {
      this.#onChunk = onChunk;
      this.#part.read(this.#takeChunk);
      return;
    }
    if (this.#isOver) {
      onChunk(null, null);
      return;
    }
    if (this.#index === this.#ranges.length) {
      this.#isOver = true;
      onChunk(null, this.#frame.end);
      return;
    }
    const index = this.#index++;
    const { first, last } = this.#ranges[index];
    this.#part = this.#openPart(first, last - first + 1, this.#index === this.#ranges.length);
    onChunk(null, this.#frame.headers[index]);
  }

  recycle(chunk: Uint8Array): void {
    this.#part?.recycle?.(chunk);
  }

  cancel(): void {
    this.#onChunk = null;
    const part = this.#part;
    this.#part = null;
    // Behind the last part there is nothing left to let go.
    const isBetween = part === null && !this.#isOver && this.#index < this.#ranges.length;
    this.#isOver = true;
    part?.cancel();
    if (isBetween) this.#discard();
  }

  readonly #takeChunk: OnChunk = (error, chunk) => {
    const onChunk = this.#onChunk;
    this.#onChunk = null;
    if (onChunk === null) return;
    if (error === null && chunk === null) {
      this.#part = null;
      this.read(onChunk);
      return;
    }
    onChunk(error, chunk);
  };
}
