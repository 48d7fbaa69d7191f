// Turns the bytes that a connection reads into one response after another: records taken apart where there are any, the
// head parsed, the body held against the length it announced. Knows no socket; who feeds it asks it what it understood.

import { HttpError } from '../message/http-error.ts';
import type { CgiProtocol } from './cgi-codec.ts';
import { FastCgiDecoder } from './fastcgi-decoder.ts';
import { type CgiHead, parseCgiHead } from './parse-response-head.ts';

/** The limits on a response head. */
export interface CgiHeadLimits {
  /** Bytes of the head. */
  readonly head: number;
  /** Field lines. */
  readonly fields: number;
}

/** Most of a read that is looked at as text before it is known that the head is longer. */
const firstLookBytes = 4096;

const nothing = Buffer.alloc(0);

/** Reads the responses of one connection. */
export class CgiResponseReader {
  readonly #limits: CgiHeadLimits;
  readonly #decoder: FastCgiDecoder | null;
  #method = '';
  /** A head that is not complete yet, and its last characters: the empty line may be split. */
  #text = '';
  #tail = '';
  /** Bytes of the body still to come; Infinity when only the end will tell. */
  #remaining = 0;
  /** The head, once it is complete. */
  head: CgiHead | null = null;
  /** Whether the body is complete. */
  complete = false;
  /** Whether the peer has nothing more to say to this request. */
  ended = false;
  /** Whether bytes came that belong to no response: the connection must not be used again. */
  surplus = false;
  /** Whether a byte has come that answers the request under way. */
  started = false;

  constructor(protocol: CgiProtocol, limits: CgiHeadLimits) {
    this.#limits = limits;
    this.#decoder = protocol === 'fastcgi' ? new FastCgiDecoder() : null;
  }

  /** Whether the response has no body, whatever it announces. */
  get isBodiless(): boolean {
    return this.#method === 'HEAD' || this.head?.status === 304 || this.head?.status === 204;
  }

  /** What the script wrote to its error stream; given once. */
  takeErrorText(): string {
    return this.#decoder?.takeErrorText() ?? '';
  }

  /** Expects a response to a request of that method. */
  begin(method: string): void {
    this.#decoder?.begin();
    this.#method = method;
    this.#text = '';
    // An empty line at the very beginning is one too.
    this.#tail = '\n';
    this.head = null;
    this.complete = false;
    this.ended = false;
    this.started = false;
  }

  /**
   * Takes what was read. Returns the bytes of the body in it, a part of `input`, whose bytes may be moved. Throws an
   * HttpError: TSS_UPSTREAM_UNAVAILABLE from a peer that has too much to do, TSS_UPSTREAM_RESPONSE when this is no
   * proper response.
   */
  feed(input: Buffer): Uint8Array {
    if (this.ended) {
      this.surplus = true;
      return nothing;
    }
    this.started = true;
    const decoder = this.#decoder;
    const output = decoder === null ? input : decoder.decode(input);
    const bodyStart = this.head === null ? this.#takeHead(output) : 0;
    const body = bodyStart === -1 ? nothing : this.#takeBody(output.subarray(bodyStart));
    if (decoder !== null && decoder.end !== null) this.#end(decoder);
    return body;
  }

  /** The peer has sent its last byte. Returns whether that is a proper end of the response. */
  end(): boolean {
    this.ended = true;
    // Where there are records, the last of them is the end and nothing else.
    if (this.#decoder === null && this.#remaining === Number.POSITIVE_INFINITY) this.complete = true;
    return this.complete && this.head !== null;
  }

  #end({ end, surplus }: FastCgiDecoder): void {
    if (end === null) return;
    const { appStatus, protocolStatus } = end;
    if (protocolStatus !== 'complete') {
      const isRefusal = protocolStatus === 'overloaded' && this.head === null && this.#text === '';
      if (isRefusal) this.started = false;
      throw new HttpError(
        isRefusal ? 'TSS_UPSTREAM_UNAVAILABLE' : 'TSS_UPSTREAM_RESPONSE',
        `the peer says: ${protocolStatus}`,
      );
    }
    if (this.head === null) throw fault(`ended without a head, with status ${appStatus}`);
    if (this.#remaining === Number.POSITIVE_INFINITY) this.complete = true;
    if (!this.complete) throw fault(`the body ended ${this.#remaining} bytes too early`);
    this.ended = true;
    if (surplus) this.surplus = true;
  }

  /** Where the body begins in `output`, or -1 while the head is not complete. */
  #takeHead(output: Buffer): number {
    let look = Math.min(output.length, firstLookBytes);
    let piece = output.toString('latin1', 0, look);
    let end = findHeadEnd(this.#tail + piece);
    if (end === null && look < output.length) {
      look = output.length;
      piece = output.toString('latin1', 0, look);
      end = findHeadEnd(this.#tail + piece);
    }
    const size = end === null ? look : end.bodyStart - this.#tail.length;
    if (this.#text.length + size > this.#limits.head) {
      throw fault(`the head has more than ${this.#limits.head} bytes`);
    }
    if (end === null) {
      this.#text += piece;
      this.#tail = (this.#tail + piece).slice(-2);
      return -1;
    }
    // The empty line itself may have begun in an earlier read.
    const text = (this.#text + piece).slice(0, this.#text.length + end.textEnd - this.#tail.length);
    this.#enterBody(parseCgiHead(text, this.#decoder === null, this.#limits.fields));
    this.#text = '';
    return size;
  }

  #enterBody(head: CgiHead): void {
    this.head = head;
    this.#remaining = this.isBodiless ? 0 : (head.contentLength ?? Number.POSITIVE_INFINITY);
    this.complete = this.#remaining === 0;
  }

  #takeBody(input: Buffer): Uint8Array {
    const size = Math.min(this.#remaining, input.length);
    this.#remaining -= size;
    if (this.#remaining === 0) this.complete = true;
    if (size === input.length) return input;
    // What is sent although it has no place is read and thrown away; behind it the end is still to be found.
    if (!this.isBodiless) this.surplus = true;
    return input.subarray(0, size);
  }
}

/** Where the text of a head ends, its last line end included, and where what follows the empty line begins. */
function findHeadEnd(text: string): { textEnd: number; bodyStart: number } | null {
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    const next = text.charCodeAt(at + 1);
    if (next === 0x0a) return { textEnd: at + 1, bodyStart: at + 2 };
    if (next === 0x0d && text.charCodeAt(at + 2) === 0x0a) return { textEnd: at + 1, bodyStart: at + 3 };
  }
  return null;
}

function fault(detail: string): HttpError {
  return new HttpError('TSS_UPSTREAM_RESPONSE', detail);
}
