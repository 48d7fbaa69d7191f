// Collects the frames of one turn of the event loop and writes them at once: that one write and one read serve many
// requests is what the whole room is for.

import type { Duplex } from 'node:stream';
import {
  type FrameType,
  frameHeaderBytes,
  type ResponseStart,
  responseStartBytes,
  writeResponseStart,
} from './frames.ts';

const batchBytes = 64 * 1024;

/** More bytes are written from where they are. */
const maxCopiedBytes = 16 * 1024;

/** Beyond so many bytes that the other end has not taken up, no more of a body is asked for. */
const maxWaitingBytes = 256 * 1024;

/** Writes the frames of one connection. */
export class FrameWriter {
  readonly #socket: Duplex;
  #batch = Buffer.allocUnsafeSlow(batchBytes);
  #used = 0;
  #scheduled = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Whether bodies should wait until the socket says `drain`. */
  get isBehind(): boolean {
    return this.#socket.writableLength > maxWaitingBytes;
  }

  /** A frame without payload. */
  write(type: FrameType, id: number): void {
    this.#begin(type, id, 0);
  }

  /** A frame with a number of 32 bits. */
  writeNumber(type: FrameType, id: number, value: number): void {
    const at = this.#begin(type, id, 4);
    this.#batch.writeUInt32BE(value, at);
  }

  /** A frame with text, latin1. */
  writeText(type: FrameType, id: number, text: string): void {
    const at = this.#begin(type, id, text.length);
    this.#batch.write(text, at, 'latin1');
  }

  /** Whether nothing of what was written is read any more: its memory may be used again. */
  get isDone(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** A frame with bytes. Many of them are not copied: see {@link isDone}. */
  writeBytes(type: FrameType, id: number, bytes: Uint8Array): void {
    if (bytes.length > maxCopiedBytes) {
      this.#writeLarge(type, id, bytes);
      return;
    }
    const at = this.#begin(type, id, bytes.length);
    this.#batch.set(bytes, at);
  }

  /** A frame with the beginning of an answer, and its body if that is complete. */
  writeResponse(type: FrameType, id: number, start: ResponseStart, body: Uint8Array | null): void {
    const bodyAt = responseStartBytes + start.fieldLines.length;
    const at = this.#begin(type, id, bodyAt + (body?.length ?? 0));
    writeResponseStart(this.#batch, at, start);
    if (body !== null) this.#batch.set(body, at + bodyAt);
  }

  /** Writes what was collected. */
  readonly flush = (): void => {
    this.#scheduled = false;
    if (this.#used === 0) return;
    const bytes = this.#batch.subarray(0, this.#used);
    this.#used = 0;
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return;
    // What has to wait takes no more memory than it needs.
    const isBehind = socket.writableLength > 0;
    socket.write(isBehind ? Buffer.from(bytes) : bytes);
    // The kernel has a copy of all of it, or the memory is not ours any more.
    if ((!isBehind && socket.writableLength > 0) || this.#batch.length > batchBytes) {
      this.#batch = Buffer.allocUnsafeSlow(batchBytes);
    }
  };

  /** Header and bytes in one system call. */
  #writeLarge(type: FrameType, id: number, bytes: Uint8Array): void {
    if (this.#used > maxCopiedBytes) this.flush();
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return;
    const at = this.#used;
    this.#begin(type, id, 0);
    this.#batch.writeUInt32BE(bytes.length, at);
    const before = Buffer.from(this.#batch.subarray(0, this.#used));
    this.#used = 0;
    socket.cork();
    socket.write(before);
    socket.write(bytes);
    socket.uncork();
  }

  /** Makes room for a frame and writes its header. Returns where its payload goes. */
  #begin(type: FrameType, id: number, payloadBytes: number): number {
    const bytes = frameHeaderBytes + payloadBytes;
    if (bytes > this.#batch.length - this.#used) {
      this.flush();
      if (bytes > this.#batch.length) this.#batch = Buffer.allocUnsafeSlow(bytes);
    }
    const batch = this.#batch;
    const at = this.#used;
    batch.writeUInt32BE(payloadBytes, at);
    batch[at + 4] = type;
    batch.writeUInt32BE(id, at + 5);
    this.#used = at + bytes;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.flush);
    }
    return at + frameHeaderBytes;
  }
}
