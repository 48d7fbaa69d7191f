// A body that is given out at a limited rate, counted from its first byte (nginx's limit_rate).

import { monotonicMs } from '../../base/clock.ts';
import type { Deadline, TimerWheel } from '../../base/timer-wheel.ts';
import type { BodySource, OnChunk } from '../../message/body.ts';
import type { ReplyBody } from '../../message/reply.ts';

/** How many pieces a second's worth is given in, so that a slow body flows and does not come in bursts. */
const piecesPerSecond = 8;

/** The body at no more than so many bytes a second. */
export function limitBody(body: ReplyBody, bytesPerSecond: number, timers: TimerWheel): ReplyBody {
  if (body === null || body.kind === 'tunnel') return body;
  if (body.kind === 'stream') {
    return { kind: 'stream', source: new LimitedSource(body.source, null, bytesPerSecond, timers) };
  }
  return { kind: 'stream', source: new LimitedSource(null, body.bytes, bytesPerSecond, timers) };
}

class LimitedSource implements BodySource {
  readonly length: number | null;
  readonly #source: BodySource | null;
  readonly #bytesPerSecond: number;
  readonly #pieceBytes: number;
  readonly #deadline: Deadline;
  #chunk: Uint8Array | null;
  #reader: OnChunk | null = null;
  #startedAtMs = 0;
  #given = 0;

  /** @param whole the body, when there is no source to read it from */
  constructor(
    source: BodySource | null,
    whole: Uint8Array | null,
    bytesPerSecond: number,
    timers: TimerWheel,
  ) {
    this.length = source === null ? (whole?.length ?? 0) : source.length;
    this.#source = source;
    this.#chunk = whole;
    this.#bytesPerSecond = bytesPerSecond;
    this.#pieceBytes = Math.max(1, Math.ceil(bytesPerSecond / piecesPerSecond));
    this.#deadline = timers.createDeadline(() => this.#give());
  }

  read(onChunk: OnChunk): void {
    if (this.#startedAtMs === 0) this.#startedAtMs = monotonicMs();
    this.#reader = onChunk;
    const dueAtMs = this.#startedAtMs + (this.#given * 1000) / this.#bytesPerSecond;
    const waitMs = dueAtMs - monotonicMs();
    if (waitMs > 0) this.#deadline.set(waitMs);
    else this.#give();
  }

  cancel(): void {
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
    else this.#givePiece(chunk);
  };

  #givePiece(chunk: Uint8Array): void {
    const piece = chunk.subarray(0, this.#pieceBytes);
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
