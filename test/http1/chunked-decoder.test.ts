import { describe, expect, it } from 'vitest';
import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import type { HttpError } from '../../src/message/http-error.ts';

const limits = { head: 256, fields: 5 };

/** What comes out when the input is split at `split`: payload, rest, or the code of the error. */
function decode(text: string, split: number): { payload: string; rest: string; done: boolean } | string {
  const decoder = new ChunkedDecoder(limits);
  let payload = '';
  let rest = '';
  try {
    for (const part of [text.slice(0, split), text.slice(split)]) {
      if (decoder.done) {
        rest += part;
        continue;
      }
      const input = Buffer.from(part, 'latin1');
      payload += Buffer.from(decoder.decode(input)).toString('latin1');
      rest += input.subarray(decoder.consumed).toString('latin1');
    }
  } catch (error) {
    return (error as HttpError).code;
  }
  return { payload, rest, done: decoder.done };
}

function decodeEverySplit(text: string): unknown[] {
  const results = new Map<string, unknown>();
  for (let split = 0; split <= text.length; split++) {
    const result = decode(text, split);
    results.set(JSON.stringify(result), result);
  }
  return [...results.values()];
}

describe('a chunked body', () => {
  it.each([
    ['nothing', '0\r\n\r\n', ''],
    ['two chunks', '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', 'abcde'],
    [
      'sizes in both cases with leading zeros',
      '00A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n',
      '01234567890123456789',
    ],
    ['extensions', '1;a=b;c="d e"\r\nx\r\n0;last\r\n\r\n', 'x'],
    ['trailers, which are dropped', '1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n', 'x'],
    ['payload that looks like framing', '7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n\r\n'],
  ])('with %s is decoded however it is split, and ends where it ends', (_name, text, payload) => {
    expect(decodeEverySplit(`${text}GET /`)).toEqual([{ payload, rest: 'GET /', done: true }]);
  });

  it('of many tiny chunks is one piece per input', () => {
    const decoder = new ChunkedDecoder(limits);
    expect(Buffer.from(decoder.decode(Buffer.from('1\r\nx\r\n'.repeat(5000)))).toString()).toBe(
      'x'.repeat(5000),
    );
    expect(decoder.done).toBe(false);
  });

  it.each([
    ['V1: a signed size', '+5\r\nabcde\r\n0\r\n\r\n'],
    ['V1: a size with 0x', '0x5\r\nabcde\r\n0\r\n\r\n'],
    ['V1: a space before the size', ' 5\r\nabcde\r\n0\r\n\r\n'],
    ['V1: a space behind the size', '5 \r\nabcde\r\n0\r\n\r\n'],
    ['V1: no size', '\r\nabcde\r\n0\r\n\r\n'],
    ['V1: an extension without a size', ';a\r\n\r\n'],
    ['V1: a size out of range', 'fffffffffffffff0\r\n'],
    ['V1: a size of 17 digits', '00000000000000001\r\nx\r\n'],
    ['V1: a bare LF behind the size', '5\nabcde\r\n0\r\n\r\n'],
    ['V1: a bare CR behind the size', '5\rabcde\r\n0\r\n\r\n'],
    ['V1: a chunk that is too long', '3\r\nabcd\r\n0\r\n\r\n'],
    ['V1: a bare LF behind the data', '3\r\nabc\n0\r\n\r\n'],
    ['V1: a bare LF in an extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
    ['V33: endless extensions', `1;${'a'.repeat(5000)}\r\nx\r\n0\r\n\r\n`],
  ])('with %s is refused however it is split', (_name, text) => {
    expect(decodeEverySplit(text)).toEqual(['TSS_CHUNK_SYNTAX']);
  });

  it('with bad or too many trailers is refused', () => {
    expect(decode('0\r\nA : b\r\n\r\n', 0)).toBe('TSS_FIELD_SYNTAX');
    expect(decode('0\r\nA: b\nB: c\r\n\r\n', 0)).toBe('TSS_FIELD_SYNTAX');
    expect(decode(`0\r\n${'A: b\r\n'.repeat(6)}\r\n`, 0)).toBe('TSS_HEAD_TOO_LARGE');
    expect(decode(`0\r\nA: ${'b'.repeat(300)}\r\n\r\n`, 0)).toBe('TSS_HEAD_TOO_LARGE');
  });
});
