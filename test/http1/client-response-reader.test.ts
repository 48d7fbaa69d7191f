import { describe, expect, test } from 'vitest';
import { ClientResponseReader } from '../../src/http1/client-response-reader.ts';
import { HttpError } from '../../src/message/http-error.ts';

interface Read {
  status: number;
  body: string;
  complete: boolean;
  surplus: boolean;
  keepAlive: boolean;
}

/** Feeds pieces to a fresh reader. Throws what the reader throws. */
function read(pieces: string[], method = 'GET', head = 65536): Read {
  const reader = new ClientResponseReader({ head, fields: 100 });
  reader.begin(method);
  let body = '';
  for (const piece of pieces) {
    body += Buffer.from(reader.feed(Buffer.from(piece, 'latin1'))).toString('latin1');
  }
  return {
    status: reader.head?.status ?? 0,
    body,
    complete: reader.complete,
    surplus: reader.surplus,
    keepAlive: reader.framing?.keepAlive ?? false,
  };
}

/** The outcome of a text in one piece, after checking that it is the same cut at each byte and byte by byte. */
function readSplit(text: string, method = 'GET'): Read | string {
  const outcome = (pieces: string[]) => {
    try {
      return read(pieces, method);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return 'refused';
    }
  };
  const whole = outcome([text]);
  for (let i = 1; i < text.length; i++) {
    expect(outcome([text.slice(0, i), text.slice(i)]), `cut at ${i}`).toEqual(whole);
  }
  expect(outcome([...text]), 'byte by byte').toEqual(whole);
  return whole;
}

const ok = { status: 200, complete: true, surplus: false, keepAlive: true };

describe('a response, whole or cut at any byte,', () => {
  test.each<[string, string, string, Partial<Read>]>([
    ['with a length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { body: 'hello' }],
    ['with no body', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', { body: '' }],
    ['without a reason', 'GET', 'HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx', { body: 'x' }],
    ['without reason and space', 'GET', 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', { body: 'x' }],
    ['without fields', 'HEAD', 'HTTP/1.1 200 OK\r\n\r\n', { body: '' }],
    ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', { body: '' }],
    ['to HEAD, chunked', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { body: '' }],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204 }],
    [
      '204 with a length',
      'GET',
      'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
      { status: 204, keepAlive: false },
    ],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n', { status: 304 }],
    [
      'chunked',
      'GET',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n',
      { body: 'abc0123456789' },
    ],
    [
      'behind interim ones',
      'GET',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
      { body: 'hi' },
    ],
    [
      'that closes',
      'GET',
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx',
      { keepAlive: false },
    ],
    ['in 1.0', 'GET', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', { keepAlive: false }],
    [
      'in 1.0 that stays',
      'GET',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx',
      { keepAlive: true },
    ],
    [
      'until the close',
      'GET',
      'HTTP/1.1 200 OK\r\n\r\nall of it',
      { body: 'all of it', complete: false, keepAlive: false },
    ],
  ])('%s is understood', (_, method, text, expected) => {
    expect(readSplit(text, method)).toMatchObject({ ...ok, ...expected });
  });

  test.each([
    [
      'more bytes than its length',
      'GET',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n',
    ],
    [
      'bytes behind the last chunk',
      'GET',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP',
    ],
    ['a body after HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['a body with 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi'],
    ['a body with 204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi'],
  ])('V38: with %s is complete, and the rest is surplus that nobody sees', (_, method, text) => {
    const outcome = readSplit(text, method);
    expect(outcome).toMatchObject({ complete: true, surplus: true });
    expect((outcome as Read).body.length).toBeLessThan(2);
  });

  test.each([
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n'],
    ['a length out of range', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['a coding in 1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n'],
    ['a long chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['version 2', 'HTTP/2 200 OK\r\n\r\n'],
    ['version 1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a short status', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a long status', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['status 099', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['status 600', 'HTTP/1.1 600 OK\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\nx'],
    ['a control byte in the reason', 'HTTP/1.1 200 O\x00K\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx'],
    ['a field without a colon', 'HTTP/1.1 200 OK\r\nSet-Cookie\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'],
    ['interim responses without end', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9)}HTTP/1.1 200 OK\r\n\r\n`],
  ])('V38: with %s is refused', (_, text) => {
    expect(readSplit(text)).toBe('refused');
  });
});

test('V38: a head beyond its limit is refused, however it comes', () => {
  const start = 'HTTP/1.1 200 OK\r\nX: ';
  expect(() => read([start + 'a'.repeat(1000)], 'GET', 1000)).toThrow('more than 1000 bytes');
  expect(() => read([start, ...Array<string>(1000).fill('a')], 'GET', 1000)).toThrow('more than 1000 bytes');
  expect(() => read([`${start}${'a'.repeat(1000)}\r\n\r\n`], 'GET', 1000)).toThrow('more than 1000 bytes');
  expect(read([`${start}${'a'.repeat(950)}\r\n\r\n`], 'GET', 1000).status).toBe(200);
});

test('V38: fields beyond their number are refused', () => {
  expect(() => read([`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(101)}\r\n`])).toThrow('more than 100 fields');
});

test('another protocol is noticed at its first bytes', () => {
  expect(() => read(['SSH'])).toThrow('not HTTP/1');
});

test('a head that is longer than one look is found in the same read', () => {
  const text = `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(10_000)}\r\nContent-Length: 2\r\n\r\nhi`;
  expect(read([text])).toMatchObject({ body: 'hi', complete: true, surplus: false });
  expect(read([text.slice(0, 5000), text.slice(5000)])).toMatchObject({ body: 'hi', complete: true });
});

test('the end of the connection completes only a body that has no other end', () => {
  const ends = (text: string) => {
    const reader = new ClientResponseReader({ head: 1000, fields: 10 });
    reader.begin('GET');
    reader.feed(Buffer.from(text));
    return reader.end();
  };
  expect(ends('HTTP/1.1 200 OK\r\n\r\nhalf')).toBe(true);
  expect(ends('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')).toBe(false);
  expect(ends('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')).toBe(false);
  expect(ends('HTTP/1.1 200 OK\r\nContent-Le')).toBe(false);
});

test('one reader reads one response after another', () => {
  const reader = new ClientResponseReader({ head: 1000, fields: 10 });
  for (const body of ['one', 'two']) {
    reader.begin('GET');
    const text = `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nKeep-Alive: timeout=7, max=3\r\n\r\n${body}`;
    expect(Buffer.from(reader.feed(Buffer.from(text))).toString()).toBe(body);
    expect(reader.complete).toBe(true);
    expect(reader.framing?.idleTimeoutMs).toBe(7000);
  }
  reader.feed(Buffer.from('x'));
  expect(reader.surplus).toBe(true);
});
