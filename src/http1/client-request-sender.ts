// Sends one request after another on a connection: the head, and the body pulled from its source with backpressure.
// Deadlines, failures and what comes back are the connection's business.

import type { Writable } from 'node:stream';
import type { BodySource } from '../message/body.ts';
import type { ClientRequest } from '../message/upstream-connection.ts';

/** What the sender needs of its connection. */
export interface SenderHost {
  /** The state of the sender has changed. */
  onSenderMoved(): void;
  /** The source of the body failed: the request cannot be completed. */
  onSourceFailed(error: Error): void;
}

/**
 * `source`: waits for the body's source. `drain`: waits for the peer. `sent`: the request is complete.
 * `stopped`: it never will be.
 */
export type SenderState = 'idle' | 'ready' | 'source' | 'drain' | 'sent' | 'stopped';

/** Methods whose requests are expected to have content: without any, they say so (RFC 9110 8.6). */
const contentMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Sends the requests of one connection. */
export class ClientRequestSender {
  readonly #socket: Writable;
  readonly #host: SenderHost;
  #source: BodySource | null = null;
  #chunked = false;
  #remaining = 0;
  #pumping = false;
  #held: Uint8Array | null = null;
  state: SenderState = 'idle';

  constructor(socket: Writable, host: SenderHost) {
    this.#socket = socket;
    this.#host = host;
  }

  /** Writes the head and as much of the body as the source and the peer allow. */
  begin(request: ClientRequest): void {
    const { body, head } = request;
    if (body === null) {
      this.state = 'sent';
      this.#socket.write(
        contentMethods.has(request.method) ? `${head}Content-Length: 0\r\n\r\n` : `${head}\r\n`,
        'latin1',
      );
      return;
    }
    this.#source = body;
    this.#chunked = body.length === null;
    this.#remaining = body.length ?? Number.POSITIVE_INFINITY;
    const framing = this.#chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    this.state = 'ready';
    // One write for the head and what of the body is already there.
    this.#socket.cork();
    this.#socket.write(`${head}${framing}\r\n\r\n`, 'latin1');
    this.#pump();
    this.#socket.uncork();
  }

  /** Ends the request where it is; the source is let go. */
  stop(): void {
    const source = this.#source;
    this.#source = null;
    this.#held = null;
    if (this.state !== 'sent') this.state = 'stopped';
    source?.cancel();
  }

  /** The socket took what it was given. */
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
    } else if (chunk === null) this.#finish();
    else if (this.#pumping) this.#write(chunk);
    else {
      // An upstream that answers early and closes makes the next write fail, and with it the socket on which its
      // answer waits. So what the poll under way has found readable is read first.
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
    // An empty chunk would be the last one.
    if (chunk.length === 0) {
      this.state = 'ready';
      return;
    }
    this.#remaining -= chunk.length;
    if (this.#remaining < 0) {
      this.#failLength();
      return;
    }
    const socket = this.#socket;
    let room: boolean;
    if (this.#chunked) {
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      room = socket.write('\r\n', 'latin1');
      socket.uncork();
    } else room = socket.write(chunk);
    // The socket may have failed inside the write.
    if (this.state !== 'source') return;
    // The kernel has its own copy of all of it.
    if (socket.writableLength === 0) this.#source?.recycle?.(chunk);
    if (this.#remaining === 0) {
      // Complete without asking for the end, which the response may overtake.
      this.#source = null;
      this.state = 'sent';
    } else this.state = room ? 'ready' : 'drain';
  }

  #finish(): void {
    if (!this.#chunked && this.#remaining !== 0) {
      this.#failLength();
      return;
    }
    this.#source = null;
    this.state = 'sent';
    if (this.#chunked) this.#socket.write('0\r\n\r\n', 'latin1');
    if (!this.#pumping) this.#host.onSenderMoved();
  }

  #failLength(): void {
    const source = this.#source;
    this.#source = null;
    this.state = 'stopped';
    source?.cancel();
    this.#host.onSourceFailed(new Error('the body of a request has not the length it announced'));
  }
}
