import { describe, expect, test } from 'vitest';
import { decodeBytes, decodeSteps } from './decode-bytes.ts';
import { cutBytes, planSplits } from './split-plan.ts';
import { splitRequest } from './split-requests.ts';

describe('the notation of the corpus', () => {
  test.each([
    ['leaves the line ends of the file out', 'GET\\r\\n\nHost\r\n:', 'GET\r\nHost:'],
    ['knows short escapes', '\\t\\0\\\\\\n', '\t\0\\\n'],
    ['knows bytes', '\\x00\\xfF\\x7d', '\0\xff}'],
    ['repeats', 'a\\{repeat 3 b\\r\\n}c', 'ab\r\nb\r\nb\r\nc'],
    ['leaves braces and percent signs as they are', '{a}%0d%0a', '{a}%0d%0a'],
  ])('%s', (_, text, bytes) => {
    expect(decodeBytes(text).toString('latin1')).toBe(bytes);
  });

  test('has steps between bytes', () => {
    expect(decodeSteps('a\\{await}b\\{pause}\\{end}')).toEqual([
      { kind: 'bytes', bytes: Buffer.from('a') },
      { kind: 'await' },
      { kind: 'bytes', bytes: Buffer.from('b') },
      { kind: 'pause' },
      { kind: 'end' },
    ]);
  });

  test.each(['\\q', '\\', '\\x4', '\\{repeat x y}', '\\{wait}', '\\{repeat 2 \\{end}'])(
    'refuses %s',
    (text) => {
      expect(() => decodeSteps(text)).toThrow('is no');
    },
  );
});

describe('splits', () => {
  test('are the same in every run, and give the bytes back', () => {
    const plans = planSplits('a/b', 100, 10);
    expect(planSplits('a/b', 100, 10)).toEqual(plans);
    expect(plans).toHaveLength(12);
    const bytes = Buffer.from('0123456789'.repeat(10));
    for (const { cuts } of plans) expect(Buffer.concat(cutBytes(bytes, cuts))).toEqual(bytes);
    expect(cutBytes(bytes, plans[1].cuts)).toHaveLength(100);
  });
});

describe('the recording upstream sees', () => {
  test.each([
    ['a request behind a body by length', 'POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET'],
    [
      'a request behind chunks',
      'POST /a HTTP/1.1\r\nTransfer-Encoding : xchunked\r\n\r\n3;a\r\nabc\r\n0\r\nA: b\r\n\r\nGET',
    ],
    ['a request whose lines end in LF', 'POST /a HTTP/1.1\nContent-Length: 3, 4\n\nabcGET'],
  ])('%s', (_, text) => {
    const split = splitRequest(text);
    expect(split?.request.body).toBe('abc');
    expect(text.slice(split?.end)).toBe('GET');
  });

  test.each(['GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na'])(
    'no end in %j',
    (text) => {
      expect(splitRequest(text)).toBe(null);
    },
  );
});
