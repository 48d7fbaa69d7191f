// Sends one request to the socket of an instance, as a front worker does, and reads what comes; or leaves in the middle.

import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import type { ObservedCall } from './observed-call.ts';
import type { Probe } from './probes.ts';

/**
 * complete: the response is there. cut: the connection ended before it was. late: it did not come in time. left: the
 * client went away, as it should. short: the application ended it below its declared length.
 */
export type AnswerEnd = 'complete' | 'cut' | 'late' | 'left' | 'short';

/** What came of a request. */
export interface Answer {
  readonly end: AnswerEnd;
  readonly reader: AnswerReader;
}

/** The client of the probes, as the server in front would tell of it. */
export const probeAddress = '192.0.2.7';
/** The host of the probes. */
export const probeHost = 'check.test';

/** How long the application may have begun before a client leaves. */
const beginMs = 20;
/** How long bytes behind the end of a response may take. */
const surplusMs = 1;
/** An event stream goes on for ever: its first event, or this long without one, is enough. */
const eventsMs = 300;

/** Resolves when the response is complete, or the client gone. @param timeoutMs for the head, and again for the rest */
export function ask(
  socketPath: string,
  probe: Probe,
  call: ObservedCall,
  timeoutMs: number,
): Promise<Answer> {
  return new Promise((resolve) => {
    new Asking(connect(socketPath), probe, call, timeoutMs, resolve).start();
  });
}

class Asking {
  readonly #socket: Socket;
  readonly #probe: Probe;
  readonly #call: ObservedCall;
  readonly #timeoutMs: number;
  readonly #resolve: (answer: Answer) => void;
  readonly #reader: AnswerReader;
  readonly #timers: NodeJS.Timeout[] = [];
  #deadline: NodeJS.Timeout | undefined;
  #hasHead = false;
  #isOver = false;

  constructor(
    socket: Socket,
    probe: Probe,
    call: ObservedCall,
    timeoutMs: number,
    resolve: (answer: Answer) => void,
  ) {
    this.#socket = socket;
    this.#probe = probe;
    this.#call = call;
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    this.#reader = new AnswerReader(probe.method);
  }

  start(): void {
    const socket = this.#socket;
    socket.on('data', (bytes) => this.#take(bytes as Buffer));
    socket.on('error', () => {});
    socket.on('close', () => this.#finish('cut'));
    this.#deadline = this.#later(this.#timeoutMs, 'late');
    const { departure } = this.#probe;
    this.#call.onBegin = () => {
      if (departure === 'called' || departure === 'body') this.#later(beginMs, 'left');
    };
    this.#call.onFinish = () => this.#compareLength();
    socket.write(this.#formatHead(), 'latin1', () => void this.#sendBody());
  }

  #formatHead(): string {
    const { method, target, fields, body, framing } = this.#probe;
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const framed: Record<Probe['framing'], string[]> = {
      none: [],
      length: ['content-length', String(length)],
      chunked: ['transfer-encoding', 'chunked'],
    };
    const front = [
      ...['Host', probeHost, 'X-Real-IP', probeAddress, 'X-Forwarded-For', probeAddress],
      ...['X-Forwarded-Proto', 'http', 'X-Forwarded-Host', probeHost, 'X-Request-Id', this.#call.id],
    ];
    const all = [...front, ...fields, ...framed[framing]];
    const lines = all.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }

  /** Piece by piece, as fast as it is taken. A client that leaves in its body stops half way. */
  async #sendBody(): Promise<void> {
    const { body, framing, departure } = this.#probe;
    const pieces = departure === 'body' ? body.slice(0, body.length / 2) : body;
    for (const piece of pieces) {
      const isSent = await this.#write(
        framing === 'chunked'
          ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
          : piece,
      );
      if (!isSent) return;
      // Each piece by itself, or they would arrive as one.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (framing === 'chunked') await this.#write(Buffer.from('0\r\n\r\n'));
  }

  #write(bytes: Uint8Array): Promise<boolean> {
    if (this.#isOver || !this.#socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#socket.write(bytes, (error) => resolve(!error));
    });
  }

  #take(bytes: Buffer): void {
    const reader = this.#reader;
    reader.push(bytes);
    if (reader.state === 'broken') this.#finish('cut');
    else if (reader.state === 'complete') this.#later(surplusMs, 'complete');
    else if (reader.state === 'body') this.#takeHead();
    this.#compareLength();
  }

  #takeHead(): void {
    const isEvents = this.#reader.list('content-type').some((type) => type.startsWith('text/event-stream'));
    if (this.#probe.departure === 'head' || (isEvents && this.#reader.received > 0)) this.#finish('left');
    if (this.#hasHead) return;
    this.#hasHead = true;
    clearTimeout(this.#deadline);
    this.#later(isEvents ? eventsMs : this.#timeoutMs, isEvents ? 'left' : 'late');
  }

  /** Node sends fewer bytes than were declared as they are, and the client would wait for the rest. */
  #compareLength(): void {
    const { state, declared, received } = this.#reader;
    if (!this.#call.isNode || !this.#call.isFinished || state !== 'body' || declared === null) return;
    if (received >= this.#call.bytesWritten) this.#finish('short');
  }

  #later(delayMs: number, end: AnswerEnd): NodeJS.Timeout {
    const timer = setTimeout(() => this.#finish(end), delayMs);
    this.#timers.push(timer);
    return timer;
  }

  #finish(end: AnswerEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const isComplete = this.#reader.state === 'complete';
    if (!isComplete) this.#call.noteDeparture();
    this.#socket.destroy();
    this.#resolve({ end: isComplete ? 'complete' : end, reader: this.#reader });
  }
}
