// A body that is given out at a limited rate, counted from its first byte (nginx's limit_rate and limit_rate_after).

import { monotonicMs } from '../base/clock.ts';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import type { BodySource, OnChunk } from './body.ts';
import type { ReplyBody } from './reply.ts';

/** How many pieces a second's worth is given in, so that a slow body flows and does not come in bursts. */
const piecesPerSecond = 8;

/** A piece must be taken within one send timeout. */
const maxPieceBytes = 128 * 1024;

/** The body at no more than so many bytes a second, once `freeBytes` were given at any rate. */
export function limitBody(
  body: ReplyBody,
  bytesPerSecond: number,
  timers: TimerWheel,
  freeBytes = 0,
): ReplyBody {
  if (body === null || body.kind === 'tunnel') return body;
  const rate = { bytesPerSecond, freeBytes };
  if (body.kind === 'stream') {
    return { kind: 'stream', source: new LimitedSource(body.source, null, rate, timers) };
  }
  // What is free anyway needs no pace.
  if (body.bytes.length <= freeBytes) return body;
  return { kind: 'stream', source: new LimitedSource(null, body.bytes, rate, timers) };
}

interface Rate {
  readonly bytesPerSecond: number;
  readonly freeBytes: number;
}

class LimitedSource implements BodySource {
  readonly length: number | null;
  readonly #source: BodySource | null;
  readonly #rate: Rate;
  readonly #pieceBytes: number;
  readonly #deadline: Deadline;
  /** What is left of the chunk that is being given. */
  #chunk: Uint8Array | null;
  /** That chunk as the source gave it, until its last piece is done with. */
  #lent: Uint8Array | null = null;
  #reader: OnChunk | null = null;
  #startedAtMs = 0;
  #given = 0;

  /** @param whole the body, when there is no source to read it from */
  constructor(source: BodySource | null, whole: Uint8Array | null, rate: Rate, timers: TimerWheel) {
    this.length = source === null ? (whole?.length ?? 0) : source.length;
    this.#source = source;
    this.#chunk = whole;
    this.#rate = rate;
    this.#pieceBytes = Math.min(Math.max(1, Math.ceil(rate.bytesPerSecond / piecesPerSecond)), maxPieceBytes);
    this.#deadline = timers.createDeadline(() => this.#give());
  }

  read(onChunk: OnChunk): void {
    if (this.#startedAtMs === 0) this.#startedAtMs = monotonicMs();
    this.#reader = onChunk;
    const counted = Math.max(0, this.#given - this.#rate.freeBytes);
    const dueAtMs = this.#startedAtMs + (counted * 1000) / this.#rate.bytesPerSecond;
    const waitMs = dueAtMs - monotonicMs();
    if (waitMs > 0) this.#deadline.set(waitMs);
    else this.#give();
  }

  recycle(): void {
    const lent = this.#lent;
    if (lent === null || this.#chunk !== null) return;
    this.#lent = null;
    this.#source?.recycle?.(lent);
  }

  cancel(): void {
    this.#lent = null;
    this.#reader = null;
    this.#chunk = null;
    this.#deadline.drop();
    this.#source?.cancel();
  }

  #give(): void {
    if (this.#chunk !== null) this.#givePiece(this.#chunk);
    else if (this.#source !== null) this.#source.read(this.#onChunk);
    else this.#answer(null, null);
  }

  readonly #onChunk: OnChunk = (error, chunk) => {
    if (error !== null || chunk === null) this.#answer(error, null);
    else {
      this.#lent = chunk;
      this.#givePiece(chunk);
    }
  };

  #givePiece(chunk: Uint8Array): void {
    const free = this.#rate.freeBytes - this.#given;
    const piece = chunk.subarray(0, free > 0 ? Math.min(free, maxPieceBytes) : this.#pieceBytes);
    this.#chunk = piece.length < chunk.length ? chunk.subarray(piece.length) : null;
    this.#given += piece.length;
    this.#answer(null, piece);
  }

  #answer(error: Error | null, chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = null;
    if (chunk === null) this.#deadline.drop();
    reader?.(error, chunk);
  }
}
