// Inputs for the parsers: cases of the wire corpus and requests made by fast-check, mutated, cut and put together.
// Everything comes from one seed.

import fc from 'fast-check';
import { joinSteps, readRequestCases } from '../wire/read-corpus.ts';

/** A source of numbers that gives the same for the same seed. */
export type Random = (below: number) => number;

/** Mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What smugglers are made of. */
const tokens = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '\n\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x80',
  '\xff',
  ':',
  ';',
  ',',
  '"',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'content-length:+5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'transfer-encoding: identity\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: upgrade\r\nUpgrade: h2c\r\n',
  'Host: b\r\n',
  'Expect: 100-continue\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  '5;a=b\r\nhello\r\n',
  '0x5',
  'fffffffffffffffff',
  '-1',
  '%00',
  '..',
  '//',
  '*',
  'http://a/',
];

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const fieldValue = fc.stringMatching(/^[\x21-\x7e\x80-\xff]?[\t\x20-\x7e\x80-\xff]{0,30}$/);
const target = fc.oneof(
  fc.stringMatching(/^\/[!$-;=?-Z_a-z~]{0,40}$/),
  fc.constantFrom('*', 'http://a/x?y', 'HTTPS://A:443', '/', '//', '/%2e%2e/', '/?'),
);
const method = fc.constantFrom('GET', 'GET', 'POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');
const body = fc.oneof(
  fc.constant({ fields: '', bytes: '' }),
  fc
    .stringMatching(/^[\x00-\xff]{0,60}$/s)
    .map((bytes) => ({ fields: `Content-Length: ${bytes.length}\r\n`, bytes })),
  fc.array(fc.stringMatching(/^[\x00-\xff]{1,20}$/s), { maxLength: 5 }).map((chunks) => ({
    fields: 'Transfer-Encoding: chunked\r\n',
    bytes: `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`,
  })),
);
const request = fc
  .record({
    method,
    target,
    version: fc.constantFrom('1.1', '1.1', '1.0'),
    fields: fc.array(fc.tuple(token, fieldValue), { maxLength: 6 }),
    body,
  })
  .map((parts) => {
    const lines = parts.fields.map(([name, value]) => `${name}:${value}\r\n`).join('');
    return `${parts.method} ${parts.target} HTTP/${parts.version}\r\nHost: a\r\n${lines}${parts.body.fields}\r\n${parts.body.bytes}`;
  });

/** Gives inputs, each cut into the parts in which it arrives. */
export class InputGenerator {
  readonly #random: Random;
  readonly #corpus: string[];
  #made: string[] = [];

  constructor(seed: number) {
    this.#random = createRandom(seed);
    this.#corpus = readRequestCases()
      .map(({ steps }) => joinSteps(steps).toString('latin1'))
      .filter((text) => text.length < 4096);
  }

  next(): Buffer[] {
    let text = this.#pick();
    if (this.#random(3) === 0) text += this.#pick();
    for (let left = this.#random(4); left > 0; left--) text = this.#mutate(text);
    // At the HTTP/2 preface Node gives up the connection, with requests before it whose end it has not told yet.
    if (text.includes('PRI ')) return this.next();
    return this.#cut(Buffer.from(text, 'latin1'));
  }

  #pick(): string {
    if (this.#random(2) === 0) return this.#corpus[this.#random(this.#corpus.length)];
    if (this.#made.length === 0)
      this.#made = fc.sample(request, { numRuns: 200, seed: this.#random(2 ** 31) });
    return this.#made.pop() as string;
  }

  #mutate(text: string): string {
    const at = this.#random(text.length + 1);
    const length = this.#random(Math.min(12, text.length - at + 1));
    switch (this.#random(6)) {
      case 0:
        return text.slice(0, at) + String.fromCharCode(this.#random(256)) + text.slice(at + 1);
      case 1:
        return text.slice(0, at) + text.slice(at + length);
      case 2:
        return text.slice(0, at) + text.slice(at, at + length) + text.slice(at);
      case 3: {
        const lineEnd = text.indexOf('\r\n', at);
        const where = lineEnd === -1 ? at : lineEnd + 2;
        return text.slice(0, where) + tokens[this.#random(tokens.length)] + text.slice(where);
      }
      case 4:
        return text.slice(0, at);
      default:
        return text.slice(0, at) + tokens[this.#random(tokens.length)] + text.slice(at);
    }
  }

  #cut(bytes: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    let rest = bytes;
    for (let cuts = this.#random(4); cuts > 0 && rest.length > 1; cuts--) {
      const at = 1 + this.#random(rest.length - 1);
      parts.push(rest.subarray(0, at));
      rest = rest.subarray(at);
    }
    return [...parts, rest];
  }
}
