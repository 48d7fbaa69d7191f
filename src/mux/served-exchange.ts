// One request inside an instance: how its Reply goes back in frames, only as fast as the front worker gives credit.

import { renderFieldLines } from '../http1/write-reply.ts';
import type { BodySource, OnChunk } from '../message/body.ts';
import type { Exchange } from '../message/exchange.ts';
import { getReplyLength, type Reply } from '../message/reply.ts';
import type { FrameWriter } from './frame-writer.ts';
import { frameTypes, initialCredit, maxDataBytes, maxWholeBytes } from './frames.ts';

/** The connection that it is part of. */
export interface ServedOwner {
  readonly writer: FrameWriter;
  /** The connection is behind: `resume` is to be called when it is not. */
  onStalled(served: ServedExchange): void;
  /** Called once, when nothing of the request will happen any more. */
  onDone(id: number, exchange: Exchange): void;
}

/** One request under way. */
export class ServedExchange {
  readonly #id: number;
  readonly #exchange: Exchange;
  readonly #writer: FrameWriter;
  readonly #owner: ServedOwner;
  #source: BodySource | null = null;
  /** What the source gave, as far as it was not sent yet. */
  #chunk: Uint8Array | null = null;
  #sentOfChunk = 0;
  #remaining = 0;
  #credit = initialCredit;
  #reading = false;
  #pumping = false;
  #answered = false;
  #done = false;

  constructor(id: number, exchange: Exchange, owner: ServedOwner) {
    this.#id = id;
    this.#exchange = exchange;
    this.#writer = owner.writer;
    this.#owner = owner;
  }

  /** Sends a reply, or lets it go when nobody waits for it any more. */
  answer(reply: Reply): void {
    const { body } = reply;
    if (this.#done) {
      if (body !== null && body.kind === 'stream') body.source.cancel();
      return;
    }
    this.#answered = true;
    this.#exchange.status = reply.status;
    const { method } = this.#exchange;
    const length = getReplyLength(body);
    const isBodiless = method === 'HEAD' || reply.status === 304;
    const isEmpty = reply.status === 204 || reply.status === 205 || length === 0;
    if (isBodiless || isEmpty || body === null || body.kind === 'tunnel') {
      if (body !== null && body.kind === 'stream') body.source.cancel();
      this.#sendWhole(reply, isBodiless ? length : 0, null);
    } else if (body.kind === 'bytes' && body.bytes.length <= maxWholeBytes) {
      this.#sendWhole(reply, body.bytes.length, body.bytes);
    } else {
      this.#sendStart(reply, length, false, null);
      this.#remaining = length ?? Number.POSITIVE_INFINITY;
      this.#source = body.kind === 'bytes' ? new BytesSource(body.bytes) : body.source;
      this.#pump();
    }
  }

  /** The connection is not behind any more. */
  resume(): void {
    this.#pump();
  }

  /** The front worker's client has taken so much. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    this.#pump();
  }

  /** Nobody waits for the answer any more. */
  abort(): void {
    if (this.#done) return;
    const exchange = this.#exchange;
    exchange.abortedBy = 'client';
    if (!this.#answered) exchange.status = 499;
    this.#done = true;
    exchange.abort();
    this.#finish();
  }

  #sendWhole(reply: Reply, length: number | null, bytes: Uint8Array | null): void {
    this.#sendStart(reply, length, true, bytes);
    this.#exchange.bodyBytesSent = bytes?.length ?? 0;
    this.#finish();
  }

  #sendStart(reply: Reply, length: number | null, complete: boolean, bytes: Uint8Array | null): void {
    const start = { status: reply.status, complete, length, fieldLines: renderFieldLines(reply.fields) };
    this.#writer.writeResponse(frameTypes.response, this.#id, start, bytes);
  }

  /** A loop, since a source may answer before `read` returns. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#source !== null && !this.#reading && this.#credit > 0) {
      if (this.#writer.isBehind) {
        this.#owner.onStalled(this);
        break;
      }
      if (this.#chunk !== null) this.#sendPiece(this.#source, this.#chunk);
      else {
        this.#reading = true;
        this.#source.read(this.#onChunk);
      }
    }
    this.#pumping = false;
  }

  readonly #onChunk: OnChunk = (error, chunk) => {
    this.#reading = false;
    if (this.#source === null) return;
    if (error !== null) this.#break(error);
    else if (chunk === null) this.#end();
    else if (chunk.length > this.#remaining) this.#break(new Error('the body is longer than announced'));
    else {
      if (chunk.length > 0) this.#chunk = chunk;
      this.#sentOfChunk = 0;
      this.#pump();
    }
  };

  #sendPiece(source: BodySource, chunk: Uint8Array): void {
    const start = this.#sentOfChunk;
    const piece = chunk.subarray(start, start + Math.min(maxDataBytes, this.#credit));
    this.#writer.writeBytes(frameTypes.data, this.#id, piece);
    this.#remaining -= piece.length;
    this.#credit -= piece.length;
    this.#exchange.bodyBytesSent += piece.length;
    this.#sentOfChunk += piece.length;
    if (this.#sentOfChunk < chunk.length) return;
    this.#chunk = null;
    if (this.#writer.isDone) source.recycle?.(chunk);
    if (this.#remaining === 0) this.#end();
  }

  #end(): void {
    if (this.#source === null) return;
    if (this.#remaining > 0 && this.#remaining !== Number.POSITIVE_INFINITY) {
      this.#break(new Error(`the body ended ${this.#remaining} bytes short of what was announced`));
      return;
    }
    this.#writer.write(frameTypes.end, this.#id);
    this.#finish();
  }

  #break(error: Error): void {
    this.#exchange.abortedBy = 'upstream';
    this.#exchange.failure = error;
    this.#writer.write(frameTypes.broken, this.#id);
    this.#finish();
  }

  #finish(): void {
    this.#done = true;
    this.#exchange.onAbort = null;
    const source = this.#source;
    this.#source = null;
    this.#chunk = null;
    source?.cancel();
    this.#owner.onDone(this.#id, this.#exchange);
  }
}

/** Bytes at hand. */
class BytesSource implements BodySource {
  readonly length: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  /** Read once: with the last byte that was announced, nobody asks for the end. */
  read(onChunk: OnChunk): void {
    onChunk(null, this.#bytes);
  }

  cancel(): void {}
}
