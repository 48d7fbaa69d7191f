// Moves one reply after the other to the socket: small ones joined and batched, streams pulled piece by piece and
// only as fast as the client reads. Never more bytes than announced; fewer, or an error, end the connection visibly.

import type { Socket } from 'node:net';
import type { Deadline } from '../base/timer-wheel.ts';
import type { BodySource, OnChunk } from '../message/body.ts';
import { getReplyLength, type Reply } from '../message/reply.ts';
import {
  decideReplyFraming,
  joinHead,
  type ReplyFraming,
  renderReplyHead,
  renderSharedReply,
} from './write-reply.ts';

/** Bytes at hand, a piece at a time. */
class BytesSource implements BodySource {
  readonly length: number;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  read(onChunk: OnChunk): void {
    const start = this.#offset;
    if (start === this.length) {
      onChunk(null, null);
      return;
    }
    this.#offset = Math.min(start + maxWholeBytes, this.length);
    onChunk(null, this.#bytes.subarray(start, this.#offset));
  }

  cancel(): void {}
}

/** What the writer tells its connection. */
export interface ReplyWriterOwner {
  /** The reply was handed to the system completely. Never called from within `write`. */
  onReplySent(): void;
  /** The reply cannot be completed: the connection must be torn down. */
  onReplyFailed(error: Error): void;
}

/** Replies up to this many bytes are joined with what else is to be written, and not waited for. */
const maxJoinedBytes = 16 * 1024;

/** Longer bodies are written in pieces of this size, so that the send timeout is the time for one of them. */
const maxWholeBytes = 128 * 1024;

/** A batch of joined replies leaves when it is this large. */
const maxBatchBytes = 64 * 1024;

const continueResponse = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
const crlf = Buffer.from('\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

/** Writes the replies of one connection. */
export class ReplyWriter {
  readonly #socket: Socket;
  readonly #sendDeadline: Deadline;
  readonly #sendTimeoutMs: number;
  readonly #owner: ReplyWriterOwner;
  /** Body bytes of the current reply handed to the socket. */
  bodyBytesSent = 0;
  /** Whether the last reply told the client that the connection goes on. */
  keepAlive = true;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #batching = false;
  #source: BodySource | null = null;
  /** The last chunk of the source, which may have its memory back. */
  #lent: Uint8Array | null = null;
  #head = '';
  #chunked = false;
  #remaining = 0;
  #awaitsDrain = false;
  #pumping = false;
  #pumpsAgain = false;
  #insideWrite = false;
  #sent = false;

  constructor(socket: Socket, sendDeadline: Deadline, sendTimeoutMs: number, owner: ReplyWriterOwner) {
    this.#socket = socket;
    this.#sendDeadline = sendDeadline;
    this.#sendTimeoutMs = sendTimeoutMs;
    this.#owner = owner;
    socket.on('drain', () => this.#onDrain());
  }

  /** Whether the client is behind: no further request should be answered until `onReplySent`. */
  get congested(): boolean {
    return this.#awaitsDrain;
  }

  /** Collects small replies until {@link endBatch}: pipelined requests are answered in one write. */
  beginBatch(): void {
    this.#batching = true;
  }

  endBatch(): void {
    this.#batching = false;
    this.#flush();
  }

  /** Asks for a request's body, at once, behind the replies already batched. */
  writeContinue(): void {
    this.#flush();
    this.#socket.write(continueResponse);
  }

  /**
   * Writes a reply to a request of that method and version. Returns true when it is already sent; otherwise
   * `onReplySent` or `onReplyFailed` follows. Sets `keepAlive`.
   */
  write(reply: Reply, method: string, httpVersion: '1.0' | '1.1' | '2.0', keepAlive: boolean): boolean {
    const { body } = reply;
    this.bodyBytesSent = 0;
    if (reply.shared && keepAlive && httpVersion === '1.1' && (getReplyLength(body) ?? 0) <= maxWholeBytes) {
      const whole = renderSharedReply(reply, method === 'HEAD');
      if (whole !== null) return this.#writeShared(whole, reply, method);
    }
    const framing = decideReplyFraming(reply, { method, httpVersion, keepAlive });
    this.keepAlive = framing.keepAlive;
    const head = renderReplyHead(reply, framing);
    if (body === null || body.kind === 'tunnel' || !framing.sendsBody) {
      if (body !== null && body.kind === 'stream') body.source.cancel();
      this.#send(Buffer.from(head, 'latin1'));
      return this.#settle(head.length);
    }
    if (body.kind === 'stream') return this.#writeStream(head, body.source, framing);
    if (body.bytes.length <= maxWholeBytes) return this.#writeBytes(head, body.bytes);
    return this.#writeStream(head, new BytesSource(body.bytes), framing);
  }

  /** The connection is gone: lets the source go. Nothing is called back any more. */
  abort(): void {
    this.#sendDeadline.drop();
    this.#awaitsDrain = false;
    const source = this.#source;
    this.#source = null;
    this.#lent = null;
    source?.cancel();
  }

  #writeShared(whole: Buffer, reply: Reply, method: string): boolean {
    const { body } = reply;
    this.keepAlive = true;
    if (body !== null && body.kind === 'bytes' && method !== 'HEAD') this.bodyBytesSent = body.bytes.length;
    this.#send(whole);
    return this.#settle(whole.length);
  }

  #writeBytes(head: string, bytes: Uint8Array): boolean {
    this.bodyBytesSent = bytes.length;
    if (bytes.length <= maxJoinedBytes) {
      this.#send(joinHead(head, bytes));
    } else {
      this.#flush();
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(bytes);
      this.#socket.uncork();
    }
    return this.#settle(head.length + bytes.length);
  }

  #writeStream(head: string, source: BodySource, framing: ReplyFraming): boolean {
    this.#flush();
    this.#head = head;
    this.#source = source;
    this.#chunked = framing.chunked;
    this.#remaining = framing.length ?? Number.POSITIVE_INFINITY;
    this.#sent = false;
    this.#insideWrite = true;
    this.#pump();
    this.#insideWrite = false;
    // No bytes at hand: the head goes alone, at once (an event stream may be silent for long).
    if (this.#head !== '' && this.#source !== null) {
      this.#socket.write(this.#head, 'latin1');
      this.#head = '';
    }
    return this.#sent;
  }

  #pump(): void {
    if (this.#pumping) {
      this.#pumpsAgain = true;
      return;
    }
    // A loop, not a recursion: sources may answer at once, any number of times.
    this.#pumping = true;
    do {
      this.#pumpsAgain = false;
      this.#giveBack();
      this.#source?.read(this.#onChunk);
    } while (this.#pumpsAgain);
    this.#pumping = false;
  }

  /** Lets the source use a chunk's memory again, once the kernel has its own copy of all of it. */
  #giveBack(): void {
    const chunk = this.#lent;
    if (chunk === null) return;
    this.#lent = null;
    if (this.#socket.writableLength === 0) this.#source?.recycle?.(chunk);
  }

  readonly #onChunk = (error: Error | null, chunk: Uint8Array | null): void => {
    if (this.#source === null) return;
    if (error !== null) this.#fail(error);
    else if (chunk === null) this.#finishStream();
    else this.#takeChunk(chunk);
  };

  #takeChunk(chunk: Uint8Array): void {
    if (chunk.length === 0) {
      this.#pump();
      return;
    }
    if (chunk.length > this.#remaining) {
      this.#fail(new Error('the body is longer than announced'));
      return;
    }
    this.#remaining -= chunk.length;
    this.bodyBytesSent += chunk.length;
    this.#lent = chunk;
    this.#writePiece(chunk);
    if (this.#remaining === 0) this.#finishStream();
    else if (this.#isBehind()) this.#awaitDrain();
    else this.#pump();
  }

  #writePiece(chunk: Uint8Array): void {
    const prefix = this.#chunked ? `${this.#head}${chunk.length.toString(16)}\r\n` : this.#head;
    this.#head = '';
    const socket = this.#socket;
    if (prefix === '') {
      socket.write(chunk);
      return;
    }
    socket.cork();
    if (chunk.length <= maxJoinedBytes) {
      socket.write(joinHead(prefix, chunk));
    } else {
      socket.write(prefix, 'latin1');
      socket.write(chunk);
    }
    if (this.#chunked) socket.write(crlf);
    socket.uncork();
  }

  #finishStream(): void {
    if (this.#remaining > 0 && this.#remaining !== Number.POSITIVE_INFINITY) {
      this.#fail(new Error(`the body ended ${this.#remaining} bytes short of what was announced`));
      return;
    }
    this.#giveBack();
    const source = this.#source;
    this.#source = null;
    source?.cancel();
    if (this.#head !== '') {
      this.#socket.write(this.#chunked ? `${this.#head}0\r\n\r\n` : this.#head, 'latin1');
      this.#head = '';
    } else if (this.#chunked) {
      this.#socket.write(lastChunk);
    }
    if (this.#isBehind()) this.#awaitDrain();
    else this.#onSent();
  }

  #fail(error: Error): void {
    const source = this.#source;
    this.#source = null;
    this.#lent = null;
    source?.cancel();
    this.#owner.onReplyFailed(error);
  }

  #send(bytes: Buffer): void {
    if (!this.#batching) {
      this.#socket.write(bytes);
      return;
    }
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    if (this.#batchBytes >= maxBatchBytes) this.#flush();
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#socket.write(batch.length === 1 ? batch[0] : Buffer.concat(batch, this.#batchBytes));
    this.#batch = [];
    this.#batchBytes = 0;
  }

  /** Whether a reply of that size is done with. A larger one is waited for: its bytes may sit in our memory. */
  #settle(bytes: number): boolean {
    if (bytes > maxJoinedBytes) this.#flush();
    if (!this.#isBehind()) return true;
    this.#awaitDrain();
    return false;
  }

  #isBehind(): boolean {
    // writableNeedDrain alone is also true when the kernel took everything at once.
    return this.#socket.writableNeedDrain && this.#socket.writableLength > 0;
  }

  #awaitDrain(): void {
    this.#awaitsDrain = true;
    this.#sendDeadline.set(this.#sendTimeoutMs);
  }

  #onDrain(): void {
    if (!this.#awaitsDrain) return;
    this.#awaitsDrain = false;
    this.#sendDeadline.clear();
    if (this.#source !== null) this.#pump();
    else this.#onSent();
  }

  #onSent(): void {
    if (this.#insideWrite) this.#sent = true;
    else this.#owner.onReplySent();
  }
}
