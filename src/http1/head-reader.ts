// Collects a connection's input until a request head is complete, and reads it: syntax, framing and target at once.
// What comes behind the head is kept for whoever it belongs to: the body, the next request, or a tunnel.

import { HttpError } from '../message/http-error.ts';
import {
  checkPartialHead,
  type HeadLimits,
  parseRequestHead,
  type RequestHead,
} from './parse-request-head.ts';
import { decideRequestFraming, type RequestFraming } from './request-framing.ts';
import { type RequestTarget, resolveRequestTarget } from './request-target.ts';

/** A head that was read and understood. */
export interface ReadHead {
  readonly head: RequestHead;
  readonly framing: RequestFraming;
  readonly target: RequestTarget;
}

/** The unparsed input of one connection. */
export class HeadReader {
  readonly #limits: HeadLimits;
  /** Latin1: a byte is a character, so nothing is lost, and the buffer it was read into is free at once. */
  #text = '';
  /** What lies before it is done with. */
  #offset = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Whether there is any input, complete or not. */
  get hasInput(): boolean {
    return this.#text !== '';
  }

  /** Takes input, as latin1. */
  push(input: string): void {
    this.#text = this.#text === '' ? input : this.#text.slice(this.#offset) + input;
    this.#offset = 0;
  }

  /**
   * Reads the next head, or returns null when the input holds no complete one but may still become one.
   * Throws an HttpError for anything else; then nothing behind it should be believed.
   */
  read(): ReadHead | null {
    const text = this.#text;
    if (text === '') return null;
    const limits = this.#limits;
    // RFC 9112 2.2: one empty line before a request is forgiven.
    const start = text.startsWith('\r\n', this.#offset) ? this.#offset + 2 : this.#offset;
    const end = text.indexOf('\r\n\r\n', start);
    if (end === -1) {
      if (start < text.length) checkPartialHead(text, start, limits);
      return null;
    }
    if (end + 4 - start > limits.head) this.#refuseLong(text, start);
    const head = parseRequestHead(text, start, end + 2, limits);
    const framing = decideRequestFraming(head);
    const target = resolveRequestTarget(head);
    if (end + 4 === text.length) this.#clear();
    else this.#offset = end + 4;
    return { head, framing, target };
  }

  /** The input behind the last head, which is then no longer here; null when there is none. */
  takeRest(): Buffer | null {
    if (this.#text === '') return null;
    const rest = Buffer.from(this.#text.slice(this.#offset), 'latin1');
    this.#clear();
    return rest;
  }

  /** The first line of the input, cut to what a log can bear: for a request that could not be read. */
  peekLine(): string {
    const start = this.#text.startsWith('\r\n', this.#offset) ? this.#offset + 2 : this.#offset;
    return this.#text.slice(start, start + 256).split(/[\r\n]/, 1)[0];
  }

  #refuseLong(text: string, start: number): never {
    // The more telling answer comes first, when it is the target that is too long.
    parseRequestHead(text, start, text.indexOf('\r\n', start) + 2, this.#limits);
    throw new HttpError('TSS_HEAD_TOO_LARGE', `the head has more than ${this.#limits.head} bytes`);
  }

  #clear(): void {
    this.#text = '';
    this.#offset = 0;
  }
}
