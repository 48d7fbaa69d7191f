// Cuts what a connection reads into frames, wherever it was split. Data is passed on as it comes; everything else only
// when it is complete.

import { frameHeaderBytes, frameTypes, maxPayloadBytes } from './frames.ts';

/** Takes one frame, or a part of one with data. `payload` lies in memory that is used for something else afterwards. */
export type OnFrame = (type: number, id: number, payload: Buffer) => void;

/** Reads the frames of one connection. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  /** The beginning of a frame, in pieces. */
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes until what is held can be looked at: a header, then the whole frame. */
  #wantedBytes = frameHeaderBytes;
  /** The frame with data that is being passed on. */
  #dataId = 0;
  #dataLeft = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Takes what was read. Throws when it is no frame. */
  feed(input: Buffer): void {
    let bytes = input;
    if (this.#heldBytes > 0) {
      this.#hold(input);
      if (this.#heldBytes < this.#wantedBytes) return;
      bytes = Buffer.concat(this.#held, this.#heldBytes);
      this.#held.length = 0;
      this.#heldBytes = 0;
    }
    let at = 0;
    while (at < bytes.length) {
      const taken = this.#dataLeft > 0 ? this.#passData(bytes, at) : this.#takeFrame(bytes, at);
      if (taken === 0) break;
      at += taken;
    }
    if (at < bytes.length) this.#hold(bytes.subarray(at));
  }

  /** Takes the frame that begins there. Returns its bytes, or 0 when it is not complete. */
  #takeFrame(bytes: Buffer, at: number): number {
    this.#wantedBytes = frameHeaderBytes;
    if (bytes.length - at < frameHeaderBytes) return 0;
    const payloadBytes = bytes.readUInt32BE(at);
    if (payloadBytes > maxPayloadBytes) throw new Error(`a frame of ${payloadBytes} bytes`);
    const type = bytes[at + 4];
    const id = bytes.readUInt32BE(at + 5);
    const start = at + frameHeaderBytes;
    if (type === frameTypes.data) {
      this.#dataId = id;
      this.#dataLeft = payloadBytes;
      return frameHeaderBytes;
    }
    if (bytes.length - start < payloadBytes) {
      this.#wantedBytes = frameHeaderBytes + payloadBytes;
      return 0;
    }
    this.#onFrame(type, id, bytes.subarray(start, start + payloadBytes));
    return frameHeaderBytes + payloadBytes;
  }

  #passData(bytes: Buffer, at: number): number {
    const payload = bytes.subarray(at, at + this.#dataLeft);
    this.#dataLeft -= payload.length;
    this.#onFrame(frameTypes.data, this.#dataId, payload);
    return payload.length;
  }

  /** Keeps a copy. */
  #hold(piece: Buffer): void {
    this.#held.push(Buffer.from(piece));
    this.#heldBytes += piece.length;
  }
}
