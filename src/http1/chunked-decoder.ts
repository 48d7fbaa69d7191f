// The chunked coding (RFC 9112 7.1), one input buffer at a time. Payload is moved together inside the input buffer,
// so one read of many tiny chunks is one piece of body. Trailers are checked and dropped (6.5.1 lets us).

import { type Fields, hasField } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import { hexTable } from './character-tables.ts';
import { ChunkExtensions } from './chunk-extensions.ts';
import { parseFieldLines } from './parse-field-lines.ts';

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'done';

/** Bytes of chunk extensions in a whole body: no known use needs any; without a bound they are free work for us. */
const maxExtensionBytes = 4096;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const semicolon = 0x3b;

/** The limits on the trailer section. */
export interface TrailerLimits {
  readonly head: number;
  readonly fields: number;
}

/** Decodes one chunked body. */
export class ChunkedDecoder {
  readonly #limits: TrailerLimits;
  readonly #extensions = new ChunkExtensions();
  #state: State = 'size';
  #sizeDigits = 0;
  #remaining = 0;
  #extensionBytes = 0;
  #trailer = '';
  /** Bytes of the last input that belonged to this body. The rest is the next message's. */
  consumed = 0;

  constructor(limits: TrailerLimits) {
    this.#limits = limits;
  }

  /** Whether the last chunk and the trailer section are complete. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes the next input and returns the payload in it (maybe empty), a part of `input` itself, whose bytes are moved.
   * Sets `consumed`. Throws an HttpError TSS_CHUNK_SYNTAX, TSS_FIELD_SYNTAX or TSS_HEAD_TOO_LARGE.
   */
  decode(input: Uint8Array): Uint8Array {
    let read = 0;
    let written = 0;
    while (read < input.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const size = Math.min(this.#remaining, input.length - read);
        if (written !== read) input.copyWithin(written, read, read + size);
        written += size;
        read += size;
        this.#remaining -= size;
        if (this.#remaining === 0) this.#state = 'data-cr';
      } else if (this.#state === 'trailer') {
        read = this.#takeTrailer(input, read);
      } else {
        this.#step(input[read++]);
      }
    }
    this.consumed = read;
    return input.subarray(0, written);
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        this.#stepSize(byte);
        return;
      case 'extension':
        if (byte === carriageReturn && this.#extensions.mayEnd) this.#state = 'size-lf';
        else if (!this.#extensions.take(byte)) throw fault('a malformed chunk extension');
        else if (++this.#extensionBytes > maxExtensionBytes)
          throw fault('too many bytes of chunk extensions');
        return;
      case 'size-lf':
        if (byte !== lineFeed) throw fault('a CR without LF behind a chunk size');
        this.#state = this.#remaining === 0 ? 'trailer' : 'data';
        this.#sizeDigits = 0;
        return;
      case 'data-cr':
        if (byte !== carriageReturn) throw fault('a chunk that is longer than its size');
        this.#state = 'data-lf';
        return;
      default:
        if (byte !== lineFeed) throw fault('a CR without LF behind a chunk');
        this.#state = 'size';
    }
  }

  #stepSize(byte: number): void {
    const digit = hexTable[byte];
    if (digit !== 255) {
      this.#remaining = (this.#sizeDigits === 0 ? 0 : this.#remaining) * 16 + digit;
      if (++this.#sizeDigits > 16 || !Number.isSafeInteger(this.#remaining))
        throw fault('a chunk size out of range');
      return;
    }
    if (this.#sizeDigits === 0) throw fault('a chunk without a size');
    if (byte === carriageReturn) this.#state = 'size-lf';
    else if (byte === semicolon) this.#beginExtensions();
    else throw fault('a byte in a chunk size that is no digit');
  }

  #beginExtensions(): void {
    this.#state = 'extension';
    this.#extensions.begin();
  }

  #takeTrailer(input: Uint8Array, start: number): number {
    // At most what the limit allows, plus the empty line: a longer section cannot end inside it.
    const room = this.#limits.head + 4 - this.#trailer.length;
    const before = this.#trailer.length;
    const piece = Buffer.from(input.buffer, input.byteOffset + start, Math.min(input.length - start, room));
    this.#trailer += piece.toString('latin1');
    const end = this.#trailer.startsWith('\r\n') ? 0 : this.#trailer.indexOf('\r\n\r\n') + 2;
    if (this.#trailer.startsWith('\r\n') || end > 1) {
      checkTrailers(parseFieldLines(this.#trailer, 0, end, this.#limits.fields));
      this.#state = 'done';
      return start + end + 2 - before;
    }
    if (this.#trailer.length > this.#limits.head) {
      throw new HttpError(
        'TSS_HEAD_TOO_LARGE',
        `the trailer section has more than ${this.#limits.head} bytes`,
      );
    }
    checkPartialTrailer(this.#trailer);
    return start + piece.length;
  }
}

/** RFC 9110 6.5.1: a trailer may not frame a message, nor speak of the connection. Who sends one wants it believed. */
function checkTrailers(trailers: Fields): void {
  for (const name of ['content-length', 'transfer-encoding', 'connection']) {
    if (hasField(trailers, name)) throw new HttpError('TSS_FIELD_SYNTAX', `${name} in a trailer`);
  }
}

function checkPartialTrailer(trailer: string): void {
  const bare = /(?:^|[^\r])\n|\r(?!\n|$)/.exec(trailer);
  if (bare !== null) throw new HttpError('TSS_FIELD_SYNTAX', 'a bare CR or LF in the trailer section');
}

function fault(detail: string): HttpError {
  return new HttpError('TSS_CHUNK_SYNTAX', detail);
}
