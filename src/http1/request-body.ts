// A request's body as the connection's input decodes into it: by length or chunked, only when somebody reads.
// What the client sent behind the body is handed back to the connection.

import { monotonicMs } from '../base/clock.ts';
import type { OnChunk, RequestBody } from '../message/body.ts';
import { copyChunk, giveBackChunk, isLargeChunk } from '../message/chunk-memory.ts';
import { HttpError } from '../message/http-error.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { Http1Settings } from './http1-settings.ts';

/** What a body asks of its connection. */
export interface RequestBodyOwner {
  /** A reader waits and nothing is at hand: read on, within the body timeout. */
  onBodyWanted(): void;
  /** The reader has what it waited for. */
  onBodyDelivered(): void;
}

/** An unread body up to this size is read and thrown away to keep the connection; above, closing is cheaper. */
const maxDiscardedBytes = 64 * 1024;

/** A client may take its time at first: ms of waiting before its rate is looked at. */
const rateGraceMs = 10_000;

/** One request's body. */
export class RequestBodyReader implements RequestBody {
  readonly length: number | null;
  limit = Number.POSITIVE_INFINITY;
  /** Whether the last byte was decoded, trailers included. */
  done = false;
  readonly #owner: RequestBodyOwner;
  readonly #decoder: ChunkedDecoder | null;
  /** Bytes still to come, when the length is known. */
  #remaining: number;
  #received = 0;
  /** Bytes from the connection, framing included. */
  #arrived = 0;
  /** Least bytes a second; 0 for no limit. */
  readonly #rate: number;
  /** When the reader began to wait for the client; 0 when it does not. */
  #waitsSinceMs = 0;
  /** How long readers have waited for the client so far. What a slow reader takes its time for does not count. */
  #waitedMs = 0;
  #input: Uint8Array | null = null;
  #onChunk: OnChunk | null = null;
  /** The chunk that the reader has, when its memory is worth to be used again. */
  #lent: Uint8Array | null = null;
  #failure: Error | null = null;

  /** @param length bytes, or null for a chunked body */
  constructor(length: number | null, limits: Http1Settings['limits'], owner: RequestBodyOwner) {
    this.length = length;
    this.#rate = limits.bodyRate;
    this.#owner = owner;
    this.#decoder = length === null ? new ChunkedDecoder(limits) : null;
    this.#remaining = length ?? 0;
  }

  /** Whether bytes lie here undecoded: the connection should not read more. */
  get backlogged(): boolean {
    return this.#input !== null;
  }

  /** Whether the rest is known to be small enough to be read for nobody. Never behind a failure, as in nginx. */
  get discardable(): boolean {
    return this.#failure === null && this.length !== null && this.#remaining <= maxDiscardedBytes;
  }

  read(onChunk: OnChunk): void {
    if (this.#failure !== null) onChunk(this.#failure, null);
    else if (this.done) onChunk(null, null);
    else if (this.length !== null && this.length > this.limit) this.#failWith(onChunk, this.#tooLarge());
    else {
      this.#onChunk = onChunk;
      if (this.#input === null) this.#wait();
      else this.#advance();
    }
  }

  cancel(): void {
    this.#onChunk = null;
  }

  recycle(chunk: Uint8Array): void {
    if (chunk !== this.#lent) return;
    this.#lent = null;
    // What came behind the chunk lies in the same memory.
    if (this.#input === null) giveBackChunk(chunk);
  }

  /** Takes a copy of input from the connection. */
  push(input: Uint8Array): void {
    this.#input = this.#input === null ? copyChunk(input) : Buffer.concat([this.#input, input]);
    this.#arrived += input.length;
    if (this.#onChunk === null) return;
    if (this.#isTooSlow()) {
      this.#failWith(
        this.#onChunk,
        new HttpError('TSS_BODY_TIMEOUT', `less than ${this.#rate} bytes of the body a second`),
      );
    } else {
      this.#advance();
    }
  }

  /** The rest of the body will not come. */
  fail(error: Error): void {
    this.#failure ??= error;
    const onChunk = this.#onChunk;
    this.#onChunk = null;
    onChunk?.(this.#failure, null);
  }

  /**
   * Decodes what is here for nobody. Returns false when the body cannot be understood.
   */
  discard(): boolean {
    this.#onChunk = null;
    try {
      if (!this.done && this.#input !== null) this.#decode();
      return true;
    } catch {
      return false;
    }
  }

  /** What came behind the body, as latin1; null when nothing did. Only when `done`. */
  takeRest(): string | null {
    const rest = this.#input;
    this.#input = null;
    return rest === null ? null : Buffer.from(rest.buffer, rest.byteOffset, rest.length).toString('latin1');
  }

  #advance(): void {
    const onChunk = this.#onChunk as OnChunk;
    let piece: Uint8Array;
    try {
      piece = this.#decode();
    } catch (error) {
      this.#failWith(onChunk, error as Error);
      return;
    }
    this.#received += piece.length;
    if (this.#received > this.limit) {
      this.#failWith(onChunk, this.#tooLarge());
      return;
    }
    if (piece.length === 0 && !this.done) {
      this.#wait();
      return;
    }
    this.#onChunk = null;
    this.#waitsSinceMs = 0;
    this.#lent = this.#input === null && isLargeChunk(piece.length) ? piece : null;
    this.#owner.onBodyDelivered();
    onChunk(null, piece.length === 0 ? null : piece);
  }

  #wait(): void {
    if (this.#waitsSinceMs === 0) this.#waitsSinceMs = monotonicMs();
    this.#owner.onBodyWanted();
  }

  /** Whether the client has sent less than the least rate in the time it was waited for. */
  #isTooSlow(): boolean {
    const nowMs = monotonicMs();
    if (this.#waitsSinceMs !== 0) this.#waitedMs += nowMs - this.#waitsSinceMs;
    this.#waitsSinceMs = nowMs;
    return this.#waitedMs > rateGraceMs && this.#arrived * 1000 < this.#waitedMs * this.#rate;
  }

  #failWith(onChunk: OnChunk, error: Error): void {
    this.#failure = error;
    // Even if the last byte is here already: how a body was cut into reads must not decide what the client sees.
    this.done = false;
    this.#onChunk = null;
    onChunk(error, null);
  }

  /** The next piece of payload; may be empty. Leaves what does not belong to the body in `#input`. */
  #decode(): Uint8Array {
    const input = this.#input as Uint8Array;
    if (this.#decoder !== null) {
      const piece = this.#decoder.decode(input);
      this.done = this.#decoder.done;
      this.#input = this.#decoder.consumed < input.length ? input.subarray(this.#decoder.consumed) : null;
      return piece;
    }
    const size = Math.min(this.#remaining, input.length);
    this.#remaining -= size;
    this.done = this.#remaining === 0;
    this.#input = size < input.length ? input.subarray(size) : null;
    return size < input.length ? input.subarray(0, size) : input;
  }

  #tooLarge(): HttpError {
    return new HttpError('TSS_BODY_TOO_LARGE', `the body has more than ${this.limit} bytes`);
  }
}
