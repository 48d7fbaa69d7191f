// A front worker's connection to one application instance, for many requests at once. Made beside the usual
// connections, which carry the requests until it is there, and all that have content.

import { connect, type Socket } from 'node:net';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { frameTypes } from './frames.ts';
import { MuxStream, type StreamOwner } from './mux-stream.ts';

const request = 'OPTIONS * HTTP/1.1\r\nHost: instance\r\nConnection: Upgrade\r\nUpgrade: tsserve-mux\r\n\r\n';

/** Bytes within which the answer to {@link request} must end. */
const maxAnswerBytes = 4096;

/** Streams that are kept for later requests. */
const maxFree = 256;

/** Bytes that the instance has not taken up yet, beyond which requests go another way: it may be blocked for long. */
const maxUnsentBytes = 1024 * 1024;

/** How long the instance may take to agree. */
const openTimeoutMs = 5_000;

/** One buffer for every connection: bytes are copied, or done with, before the read callback returns. */
const readBuffer = Buffer.allocUnsafeSlow(128 * 1024);

/** What a link works with. */
export interface MuxLinkOptions {
  /** The unix socket of the instance. */
  readonly path: string;
  readonly timers: TimerWheel;
  /** Called once when it is gone. `refused` says that the instance does not speak the protocol. */
  onClosed(refused: boolean): void;
}

/** One connection. Begins to connect when it is made. */
export class MuxLink implements StreamOwner {
  readonly timers: TimerWheel;
  readonly writer: FrameWriter;
  readonly #socket: Socket;
  readonly #options: MuxLinkOptions;
  readonly #reader = new FrameReader((type, id, payload) => this.#onFrame(type, id, payload));
  readonly #deadline: Deadline;
  readonly #streams = new Map<number, MuxStream>();
  readonly #free: MuxStream[] = [];
  #state: 'opening' | 'open' | 'leaving' | 'closed' = 'opening';
  #answer = '';
  #lastId = 0;

  constructor(options: MuxLinkOptions) {
    this.#options = options;
    this.timers = options.timers;
    this.#socket = connect({
      path: options.path,
      onread: { buffer: readBuffer, callback: (size) => this.#onRead(size) },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('end', () => this.#close(false));
    this.#socket.on('close', () => this.#close(false));
    this.#socket.write(request, 'latin1');
    this.writer = new FrameWriter(this.#socket);
    this.#deadline = options.timers.createDeadline(() => this.#close(false));
    this.#deadline.set(openTimeoutMs);
  }

  /** Whether it takes requests. */
  get ready(): boolean {
    return this.#state === 'open' && this.#socket.writableLength <= maxUnsentBytes;
  }

  /** A stream for one request. */
  takeStream(): MuxStream {
    return this.#free.pop() ?? new MuxStream(this);
  }

  begin(stream: MuxStream): number {
    do this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
    while (this.#streams.has(this.#lastId));
    this.#streams.set(this.#lastId, stream);
    return this.#lastId;
  }

  end(id: number): void {
    this.#streams.delete(id);
    if (this.#state === 'leaving' && this.#streams.size === 0) this.#close(false);
  }

  giveBack(stream: MuxStream): void {
    if (this.#state === 'open' && this.#free.length < maxFree) this.#free.push(stream);
    else stream.retire();
  }

  /** Takes no more requests; closes when the last one is over. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.#streams.size === 0) this.#close(false);
    else this.#state = 'leaving';
  }

  #onRead(size: number): boolean {
    if (this.#state === 'closed') return true;
    try {
      if (this.#state === 'opening') this.#readAnswer(size);
      else this.#reader.feed(readBuffer.subarray(0, size));
    } catch {
      // Out of step: nothing that follows can be understood.
      this.#close(false);
    }
    return true;
  }

  #readAnswer(size: number): void {
    this.#answer += readBuffer.toString('latin1', 0, size);
    const end = this.#answer.indexOf('\r\n\r\n');
    if (end === -1 && this.#answer.length < maxAnswerBytes) return;
    if (end === -1 || !this.#answer.startsWith('HTTP/1.1 101 ')) {
      this.#close(true);
      return;
    }
    this.#deadline.clear();
    this.#state = 'open';
    const rest = Buffer.from(this.#answer.slice(end + 4), 'latin1');
    this.#answer = '';
    this.#reader.feed(rest);
  }

  #onFrame(type: number, id: number, payload: Buffer): void {
    // Late, for a request that was given up: it is nobody's.
    if (id !== 0) this.#streams.get(id)?.onFrame(type, payload);
    else if (type === frameTypes.leaving) this.close();
    else throw new Error(`a frame of type ${type}`);
  }

  #close(refused: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#deadline.drop();
    this.#socket.destroy();
    this.#options.onClosed(refused);
    for (const stream of this.#free.splice(0)) stream.retire();
    for (const stream of [...this.#streams.values()]) stream.onLost('the instance closed the connection');
  }
}
