// Sends one request after another on a connection: the variables, and the body pulled from its source with
// backpressure. Deadlines, failures and what comes back are the connection's business.

import type { Writable } from 'node:stream';
import type { BodySource } from '../message/body.ts';
import type { ClientRequest } from '../message/upstream-connection.ts';
import type { CgiCodec } from './cgi-codec.ts';

/** What the sender needs of its connection. */
export interface CgiSenderHost {
  /** The state of the sender has changed. */
  onSenderMoved(): void;
  /** The source of the body failed: the request cannot be completed. */
  onSourceFailed(error: Error): void;
}

/**
 * `source`: waits for the body's source. `drain`: waits for the peer. `sent`: the request is complete.
 * `stopped`: it never will be.
 */
export type CgiSenderState = 'idle' | 'ready' | 'source' | 'drain' | 'sent' | 'stopped';

/** Sends the requests of one connection. */
export class CgiRequestSender {
  readonly #stream: Writable;
  readonly #codec: CgiCodec;
  readonly #host: CgiSenderHost;
  #source: BodySource | null = null;
  #remaining = 0;
  #pumping = false;
  #held: Uint8Array | null = null;
  state: CgiSenderState = 'idle';

  constructor(stream: Writable, codec: CgiCodec, host: CgiSenderHost) {
    this.#stream = stream;
    this.#codec = codec;
    this.#host = host;
  }

  /** Writes the variables and as much of the body as the source and the peer allow. Throws what the codec throws. */
  begin(request: ClientRequest): void {
    const head = this.#codec.renderHead(request);
    const { body } = request;
    if (body === null) {
      this.state = 'sent';
      this.#stream.write(head, 'latin1');
      return;
    }
    this.#source = body;
    this.#remaining = body.length ?? 0;
    this.state = 'ready';
    // One write for the variables and what of the body is already there.
    this.#stream.cork();
    this.#stream.write(head, 'latin1');
    this.#pump();
    this.#stream.uncork();
  }

  /** Ends the request where it is; the source is let go. */
  stop(): void {
    const source = this.#source;
    this.#source = null;
    this.#held = null;
    if (this.state !== 'sent') this.state = 'stopped';
    source?.cancel();
  }

  /** The stream took what it was given. */
  onDrain(): void {
    if (this.state !== 'drain') return;
    this.state = 'ready';
    this.#pump();
    this.#host.onSenderMoved();
  }

  /** A loop, since a source may answer before `read` returns. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.state === 'ready') {
      this.state = 'source';
      this.#source?.read(this.#onChunk);
    }
    this.#pumping = false;
  }

  readonly #onChunk = (error: Error | null, chunk: Uint8Array | null): void => {
    if (this.state !== 'source') return;
    if (error !== null) {
      this.#source = null;
      this.state = 'stopped';
      this.#host.onSourceFailed(error);
    } else if (chunk === null) this.#failLength();
    else if (this.#pumping) this.#write(chunk);
    else {
      // A peer that answers early and closes makes the next write fail, and with it the socket on which its answer
      // waits. So what the poll under way has found readable is read first.
      this.#held = chunk;
      setImmediate(this.#writeHeld);
    }
  };

  readonly #writeHeld = (): void => {
    const chunk = this.#held;
    this.#held = null;
    if (chunk === null || this.state !== 'source') return;
    this.#write(chunk);
    this.#pump();
    this.#host.onSenderMoved();
  };

  #write(chunk: Uint8Array): void {
    // An empty record would end the body.
    if (chunk.length === 0) {
      this.state = 'ready';
      return;
    }
    this.#remaining -= chunk.length;
    if (this.#remaining < 0) {
      this.#failLength();
      return;
    }
    const room = this.#codec.writeChunk(this.#stream, chunk);
    // The stream may have failed inside the write.
    if (this.state !== 'source') return;
    if (this.#remaining > 0) {
      this.state = room ? 'ready' : 'drain';
      return;
    }
    // Complete without asking for the end, which the response may overtake.
    this.#source = null;
    this.state = 'sent';
    if (this.#codec.bodyEnd !== '') this.#stream.write(this.#codec.bodyEnd, 'latin1');
  }

  #failLength(): void {
    const source = this.#source;
    this.#source = null;
    this.state = 'stopped';
    source?.cancel();
    this.#host.onSourceFailed(new Error('the body of a request has not the length it announced'));
  }
}
