import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CgiProtocol } from '../../src/cgi/cgi-codec.ts';
import { CgiResponseReader } from '../../src/cgi/cgi-response-reader.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { answer, endRequest, record, stderr, stdout } from './cgi-peer.ts';

/** What a reader made of some bytes. */
function read(protocol: CgiProtocol, parts: readonly string[], method = 'GET', maxHead = 65_536) {
  const reader = new CgiResponseReader(protocol, { head: maxHead, fields: 100 });
  reader.begin(method);
  let body = '';
  let error = '';
  try {
    for (const part of parts)
      body += Buffer.from(reader.feed(Buffer.from(part, 'latin1'))).toString('latin1');
  } catch (thrown) {
    if (!(thrown instanceof HttpError)) throw thrown;
    error = thrown.message;
  }
  const { complete, ended, head, started, surplus } = reader;
  const errorText = reader.takeErrorText();
  const isProper = error === '' && protocol !== 'fastcgi' ? reader.end() : complete;
  return {
    status: head?.status,
    fields: head?.fields,
    body,
    error,
    complete,
    ended,
    errorText,
    started,
    surplus,
    isProper,
  };
}

/** The same bytes, whole, in two parts at every place, and byte by byte: all must end alike. */
function readSplit(protocol: CgiProtocol, text: string, method?: string, maxHead?: number) {
  const whole = read(protocol, [text], method, maxHead);
  for (let i = 1; i < text.length; i++)
    expect(read(protocol, [text.slice(0, i), text.slice(i)], method, maxHead), `split at ${i}`).toEqual(
      whole,
    );
  expect(read(protocol, [...text], method, maxHead)).toEqual(whole);
  return whole;
}

const head = 'Content-Type: text/plain\r\nX-A: b\r\n\r\n';

describe('FastCGI, split at every byte', () => {
  test.each([
    ['one record', answer(`${head}hello`)],
    ['padded records', answer(`${head}hello`, 7)],
    [
      'a record for each byte',
      `${[...`${head}hello`].map((byte) => stdout(byte, 3)).join('')}${endRequest(0, 0, 5)}`,
    ],
    ['an empty record before the end', `${stdout(`${head}hello`)}${stdout('')}${endRequest()}`],
    ['line ends of LF', answer(`${head.replaceAll('\r', '')}hello`)],
    ['line ends of both kinds', answer(`${head.replace('\r', '')}hello`)],
  ])('a response in %s', (_, text) => {
    expect(readSplit('fastcgi', text)).toMatchObject({
      status: 200,
      fields: ['Content-Type', 'text/plain', 'X-A', 'b'],
      body: 'hello',
      error: '',
      complete: true,
      ended: true,
      surplus: false,
    });
  });

  test('keeps what the script complains of, in pieces between its output', () => {
    const text =
      stderr('first ', 2) + stdout(`${head}hel`) + stderr('second\n') + stdout('lo', 1) + endRequest();
    expect(readSplit('fastcgi', text)).toMatchObject({ body: 'hello', errorText: 'first second\n' });
  });

  test('holds the body against the length it announced', () => {
    const announce = (length: number) => `Content-Length: ${length}\r\n\r\n`;
    expect(readSplit('fastcgi', answer(`${announce(5)}hello`))).toMatchObject({
      body: 'hello',
      surplus: false,
    });
    expect(readSplit('fastcgi', answer(`${announce(3)}hello`))).toMatchObject({ body: 'hel', surplus: true });
    expect(read('fastcgi', [answer(`${announce(7)}hello`)]).error).toContain('2 bytes too early');
    expect(readSplit('fastcgi', stdout(`${announce(5)}hello`))).toMatchObject({
      complete: true,
      ended: false,
    });
  });

  test('takes a body that has no place, and throws it away', () => {
    expect(readSplit('fastcgi', answer(`${head}hello`), 'HEAD')).toMatchObject({
      body: '',
      surplus: false,
      ended: true,
    });
    for (const status of [204, 304])
      expect(readSplit('fastcgi', answer(`Status: ${status}\r\n\r\nhello`))).toMatchObject({
        body: '',
        ended: true,
      });
  });

  test('notices bytes behind the end', () => {
    expect(readSplit('fastcgi', `${answer(head)}${stdout('x')}`)).toMatchObject({ body: '', surplus: true });
  });

  test.each([
    ['another version', `\x02${answer(head).slice(1)}`, 'not FastCGI'],
    ['HTTP', 'HTTP/1.1 200 OK\r\n\r\n', 'not FastCGI'],
    ['another request', record(6, head, 0, 2), 'another request'],
    ['a record of management', record(6, head, 0, 0), 'another request'],
    ['our own kind of record', record(5, head), 'type 5'],
    ['an unknown kind of record', record(11, head), 'type 11'],
    ['an end of 7 bytes', record(3, '\0'.repeat(7)), 'of 7 bytes'],
    ['an end of 9 bytes', record(3, '\0'.repeat(9)), 'of 9 bytes'],
    ['an unknown protocol status', endRequest(4), 'protocol status 4'],
    ['no role for us', endRequest(3), 'unknown role'],
    ['no multiplexing', endRequest(1), 'cannot multiplex'],
    ['overload', endRequest(2), 'TSS_UPSTREAM_UNAVAILABLE: the peer says: overloaded'],
    ['an end without a head', endRequest(0, 3), 'without a head, with status 3'],
    ['half a head', stdout('A: b\r\n') + endRequest(), 'without a head'],
    ['an empty head', answer('\r\n\r\nbody'), 'without any field'],
    ['two empty lines', answer('\n\nbody'), 'without any field'],
    ['no head at all', answer('<html>\n\n'), 'no field'],
  ])('V38: refuses %s', (_, text, reason) => {
    expect(readSplit('fastcgi', text).error).toContain(reason);
  });

  test('says of an overloaded peer that it has not begun, unless it had', () => {
    expect(read('fastcgi', [endRequest(2)])).toMatchObject({ started: false });
    expect(read('fastcgi', [stdout('A: b') + endRequest(2)])).toMatchObject({
      started: true,
      error: 'TSS_UPSTREAM_RESPONSE: the peer says: overloaded',
    });
  });

  test('V38: bounds a head, however it comes', () => {
    const long = `X: ${'y'.repeat(300)}`;
    expect(readSplit('fastcgi', stdout(`${long}\r\n\r\n`), 'GET', 300).error).toContain(
      'more than 300 bytes',
    );
    expect(readSplit('fastcgi', stdout(`${long}\r\n\r\n`), 'GET', 307)).toMatchObject({
      error: '',
      status: 200,
    });
    const endless = Array.from({ length: 100 }, () => stdout('x'.repeat(1000)));
    expect(read('fastcgi', endless).error).toContain('more than 65536 bytes');
  });

  test('V38: bounds what is kept of complaints', () => {
    const { errorText } = read(
      'fastcgi',
      Array.from({ length: 100 }, () => stderr('é'.repeat(500))),
    );
    expect(errorText.length).toBeLessThan(5000);
  });
});

describe.each(['uwsgi', 'scgi'] as const)('%s, split at every byte', (protocol) => {
  test.each([
    ['a status line', `HTTP/1.1 200 OK\r\n${head}hello`],
    ['a Status field', `Status: 200 OK\r\n${head}hello`],
    ['line ends of LF', `HTTP/1.0 200\n${head.replaceAll('\r', '')}hello`],
  ])('a response with %s that ends with the connection', (_, text) => {
    expect(readSplit(protocol, text)).toMatchObject({
      status: 200,
      fields: ['Content-Type', 'text/plain', 'X-A', 'b'],
      body: 'hello',
      error: '',
      isProper: true,
    });
  });

  test('holds the body against the length it announced', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
    expect(readSplit(protocol, text)).toMatchObject({ body: 'hello', complete: true, surplus: false });
    expect(readSplit(protocol, `${text}!!`)).toMatchObject({ body: 'hello', surplus: true });
    expect(readSplit(protocol, text.slice(0, -1))).toMatchObject({ body: 'hell', isProper: false });
  });

  test.each(['', 'HTTP/1.1 200 OK\r\nA: b\r\n'])(
    'the end of the connection inside the head is no proper end: %j',
    (text) => {
      expect(read(protocol, [text])).toMatchObject({ error: '', isProper: false });
    },
  );
});

test('V20 V38: whatever comes is understood or refused, in bounded memory', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.constantFrom(
      head,
      '\r\n',
      '\n\n',
      'Status: 200\n',
      'Content-Length: 3\n',
      endRequest(),
      endRequest(2),
    ),
    fc
      .tuple(
        fc.nat(12),
        fc.string({ unit: 'binary-ascii', maxLength: 60 }),
        fc.nat(255),
        fc.constantFrom(1, 1, 1, 0, 2),
      )
      .map(([type, text, padding, id]) => record(type, text, padding, id)),
    fc.string({ unit: 'binary-ascii', maxLength: 60 }).map((text) => stdout(text)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom<CgiProtocol>('fastcgi', 'uwsgi', 'scgi'),
      fc.constantFrom('GET', 'HEAD'),
      fc.array(pieces, { maxLength: 12 }),
      fc.boolean(),
      (protocol, method, parts, joined) => {
        const input = joined ? [parts.join('')] : parts;
        const result = read(protocol, input, method, 200);
        expect(result.body.length).toBeLessThanOrEqual(input.join('').length);
        expect(result.errorText.length).toBeLessThanOrEqual(4096);
        if (result.error !== '') expect(result.error).toMatch(/^TSS_UPSTREAM_(RESPONSE|UNAVAILABLE): /);
      },
    ),
    { numRuns: 3000 },
  );
});
