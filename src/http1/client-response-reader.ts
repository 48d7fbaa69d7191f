// Turns the bytes that a connection reads into one response after another: interim heads skipped, the final head
// parsed, the body cut out of its framing. Knows no socket; who feeds it asks it what it has understood.

import { HttpError } from '../message/http-error.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import {
  canBecomeResponse,
  parseResponseHead,
  type ResponseHead,
  type ResponseLimits,
} from './parse-response-head.ts';
import { decideResponseFraming, type ResponseFraming } from './response-framing.ts';

type State = 'idle' | 'head' | 'length' | 'chunked' | 'close' | 'done';

/** Interim responses before a final one. A peer that sends more has lost its way. */
const maxInterimResponses = 8;

/** Most of a read that is looked at as text before it is known that the head is longer. */
const firstLookBytes = 4096;

const nothing = Buffer.alloc(0);

/** Reads the responses of one connection. */
export class ClientResponseReader {
  readonly #limits: ResponseLimits;
  #state: State = 'idle';
  #method = '';
  /** A head that is not complete yet, and its last three characters: the empty line may be split. */
  #text = '';
  #tail = '';
  #interim = 0;
  #remaining = 0;
  #decoder: ChunkedDecoder | null = null;
  /** The final head, once it is complete. */
  head: ResponseHead | null = null;
  /** The framing of the final head. */
  framing: ResponseFraming | null = null;
  /** Whether bytes came that belong to no response: the connection is out of step and must not be used again. */
  surplus = false;
  /** Whether a byte of the response under way has come. */
  started = false;

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
  }

  /** Whether the response is complete. */
  get complete(): boolean {
    return this.#state === 'done';
  }

  /** Expects a response to a request of that method. */
  begin(method: string): void {
    this.#state = 'head';
    this.#method = method;
    this.#text = '';
    this.#tail = '';
    this.#interim = 0;
    this.#decoder = null;
    this.head = null;
    this.framing = null;
    this.started = false;
  }

  /**
   * Takes what was read. Returns the bytes of the body in it, a part of `input`, whose bytes may be moved.
   * Throws an HttpError when this is no proper response.
   */
  feed(input: Buffer): Uint8Array {
    if (this.#state === 'idle' || this.#state === 'done') {
      this.surplus = true;
      return nothing;
    }
    this.started = true;
    if (this.#state !== 'head') return this.#takeBody(input);
    const bodyStart = this.#takeHead(input);
    return bodyStart === -1 ? nothing : this.#takeBody(input.subarray(bodyStart));
  }

  /** The peer has sent its last byte. Returns whether that is a proper end of the response. */
  end(): boolean {
    if (this.#state === 'close') this.#state = 'done';
    return this.#state === 'done';
  }

  /** Where the body begins in `input`, or -1 while the final head is not complete. */
  #takeHead(input: Buffer): number {
    let start = 0;
    for (;;) {
      const text = this.#takeHeadText(input, start);
      if (text === null) return -1;
      start += text.consumed;
      const head = parseResponseHead(text.head, 0, text.head.length, this.#limits.fields);
      if (head.status >= 200) {
        this.#enterBody(head);
        return start;
      }
      // Nobody here asks for another protocol, so nobody may switch to one.
      if (head.status === 101) throw fault('101 without a request to switch protocols');
      if (++this.#interim > maxInterimResponses)
        throw fault(`more than ${maxInterimResponses} interim responses`);
      if (start === input.length) return -1;
    }
  }

  /** The text of the next head with its last CRLF, and how many bytes of input from `start` it took. */
  #takeHeadText(input: Buffer, start: number): { head: string; consumed: number } | null {
    const before = this.#text.length;
    const look = Math.min(input.length, start + firstLookBytes);
    let piece = input.toString('latin1', start, look);
    let end = (this.#tail + piece).indexOf('\r\n\r\n') - this.#tail.length;
    if (end < -this.#tail.length && look < input.length) {
      piece = input.toString('latin1', start);
      end = (this.#tail + piece).indexOf('\r\n\r\n') - this.#tail.length;
    }
    const found = end >= -this.#tail.length;
    if (before + (found ? end + 4 : piece.length) > this.#limits.head) {
      throw fault(`the head has more than ${this.#limits.head} bytes`);
    }
    if (!found) {
      this.#text += piece;
      this.#tail = (this.#tail + piece).slice(-3);
      if (before < 7 && !canBecomeResponse(this.#text)) throw fault('this is not HTTP/1');
      return null;
    }
    const head = before === 0 ? piece.slice(0, end + 2) : (this.#text + piece).slice(0, before + end + 2);
    this.#text = '';
    this.#tail = '';
    return { head, consumed: end + 4 };
  }

  #enterBody(head: ResponseHead): void {
    const framing = decideResponseFraming(this.#method, head);
    this.head = head;
    this.framing = framing;
    this.#remaining = framing.kind === 'length' ? (framing.length as number) : 0;
    if (framing.kind === 'none' || framing.length === 0) this.#state = 'done';
    else this.#state = framing.kind;
    if (framing.kind === 'chunked') this.#decoder = new ChunkedDecoder(this.#limits);
  }

  #takeBody(input: Buffer): Uint8Array {
    if (this.#state === 'close' || input.length === 0) return input;
    if (this.#state === 'chunked') return this.#takeChunks(input);
    const size = Math.min(this.#remaining, input.length);
    this.#remaining -= size;
    if (this.#remaining === 0) this.#state = 'done';
    if (size === input.length) return input;
    this.surplus = true;
    return input.subarray(0, size);
  }

  #takeChunks(input: Buffer): Uint8Array {
    const decoder = this.#decoder as ChunkedDecoder;
    const payload = decoder.decode(input);
    if (decoder.done) {
      this.#state = 'done';
      if (decoder.consumed < input.length) this.surplus = true;
    }
    return payload;
  }
}

function fault(detail: string): HttpError {
  return new HttpError('TSS_UPSTREAM_RESPONSE', detail);
}
