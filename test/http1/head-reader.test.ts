import { describe, expect, it } from 'vitest';
import { HeadReader, type ReadHead } from '../../src/http1/head-reader.ts';
import type { HttpError } from '../../src/message/http-error.ts';

const limits = { head: 1024, fields: 10, target: 64 };

function read(text: string): ReadHead | null {
  const reader = new HeadReader(limits);
  reader.push(text);
  return reader.read();
}

/** The code of the error, however the input is split in two; "incomplete" when it never comes. */
function codesOf(text: string): Set<string> {
  const codes = new Set<string>();
  for (let split = 0; split <= text.length; split++) {
    const reader = new HeadReader(limits);
    let code = 'incomplete';
    try {
      for (const part of [text.slice(0, split), text.slice(split)]) {
        if (part === '') continue;
        reader.push(part);
        if (reader.read() !== null) code = 'read';
      }
    } catch (error) {
      code = (error as HttpError).code;
    }
    codes.add(code);
  }
  return codes;
}

const host = 'Host: a.example\r\n';

describe('a request head', () => {
  it('is read with method, target, version and fields in wire order, split at every byte', () => {
    const text =
      'POST /a%20b?c=d HTTP/1.1\r\nHost: A.example:80\r\nX-Two:\t one  two \t\r\nx-two:\r\nContent-Length: 3\r\n\r\n';
    for (let split = 0; split <= text.length; split++) {
      const reader = new HeadReader(limits);
      if (split > 0) reader.push(text.slice(0, split));
      const early = reader.read();
      expect(early === null).toBe(split < text.length);
      if (split < text.length) reader.push(text.slice(split));
      const { head, target, framing } = early ?? (reader.read() as ReadHead);
      expect(head.method).toBe('POST');
      expect(target).toEqual({ target: '/a%20b?c=d', host: 'a.example' });
      expect(head.httpVersion).toBe('1.1');
      expect(head.fields).toEqual([
        'Host',
        'A.example:80',
        'X-Two',
        'one  two',
        'x-two',
        '',
        'Content-Length',
        '3',
      ]);
      expect(framing).toEqual({ length: 3, keepAlive: true, expectsContinue: false });
      expect(reader.hasInput).toBe(false);
    }
  });

  it('leaves what follows to the next reader', () => {
    const reader = new HeadReader(limits);
    reader.push(`GET /1 HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n${host}\r\nrest`);
    expect(reader.read()?.target.target).toBe('/1');
    expect(reader.read()?.target.target).toBe('/2');
    expect(reader.takeRest()?.toString()).toBe('rest');
    expect(reader.hasInput).toBe(false);
  });

  it('may follow one empty line, not two', () => {
    expect(read(`\r\nGET / HTTP/1.1\r\n${host}\r\n`)?.target.target).toBe('/');
    expect(codesOf(`\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n`)).toEqual(new Set(['TSS_REQUEST_LINE']));
  });

  it('takes absolute-form, asterisk-form and HTTP/1.0 without Host', () => {
    expect(read('GET http://A.Example:81/x?y HTTP/1.1\r\nHost: a.example:81\r\n\r\n')?.target).toEqual({
      target: '/x?y',
      host: 'a.example',
    });
    expect(read(`GET http://a.example?y HTTP/1.1\r\n${host}\r\n`)?.target.target).toBe('/?y');
    expect(read(`OPTIONS * HTTP/1.1\r\n${host}\r\n`)?.target.target).toBe('*');
    expect(read('GET / HTTP/1.0\r\n\r\n')).toMatchObject({
      target: { host: '' },
      framing: { keepAlive: false },
    });
  });

  it.each([
    ['Host: A.b', 'a.b'],
    ['Host: a.b.', 'a.b'],
    ['Host: a.b:8080', 'a.b'],
    ['Host: a_b', 'a_b'],
    ['Host: 127.0.0.1:1', '127.0.0.1'],
    ['Host: [::1]:80', '[::1]'],
    ['Host: [::FFFF]', '[::ffff]'],
  ])('V22: %s names the host %s', (field, name) => {
    expect(read(`GET / HTTP/1.1\r\n${field}\r\n\r\n`)?.target.host).toBe(name);
  });
});

describe('a request head that is refused', () => {
  const many = Array.from({ length: 11 }, (_, i) => `A${i}: b\r\n`).join('');
  it.each([
    ['no method', ` / HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_LINE'],
    ['a method with a bad byte', `GE(T / HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_LINE'],
    ['an endless method', `${'A'.repeat(40)} / HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_LINE'],
    ['two spaces', `GET  / HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['a tab for a space', `GET\t/ HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_LINE'],
    ['no version (HTTP/0.9)', `GET /\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['lower-case HTTP', `GET / http/1.1\r\n${host}\r\n`, 'TSS_REQUEST_LINE'],
    ['a space behind the version', `GET / HTTP/1.1 \r\n${host}\r\n`, 'TSS_REQUEST_LINE'],
    ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, 'TSS_HTTP_VERSION'],
    ['HTTP/3.0', `GET / HTTP/3.0\r\n${host}\r\n`, 'TSS_HTTP_VERSION'],
    ['a HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'TSS_HTTP_VERSION'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01', 'TSS_REQUEST_LINE'],
    ['a fragment', `GET /#x HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['a raw byte above ASCII in the target', `GET /\xe9 HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['NUL in the target', `GET /\0 HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['a target that is no path', `GET x HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['an asterisk but no OPTIONS', `GET * HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['V28: another scheme', `GET ftp://a.example/ HTTP/1.1\r\n${host}\r\n`, 'TSS_REQUEST_TARGET'],
    ['V3: CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n', 'TSS_METHOD'],
    ['a long target', `GET /${'a'.repeat(64)} HTTP/1.1\r\n${host}\r\n`, 'TSS_TARGET_TOO_LONG'],
    ['a long head', `GET / HTTP/1.1\r\n${host}A: ${'b'.repeat(1024)}\r\n\r\n`, 'TSS_HEAD_TOO_LARGE'],
    ['V33: too many fields', `GET / HTTP/1.1\r\n${host}${many}\r\n`, 'TSS_HEAD_TOO_LARGE'],
    ['V1: a space before the colon', `GET / HTTP/1.1\r\n${host}A : b\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V1: an empty field name', `GET / HTTP/1.1\r\n${host}: b\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V1: a folded line', `GET / HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V1: a space before the first field', `GET / HTTP/1.1\r\n ${host}\r\n`, 'TSS_FIELD_SYNTAX'],
    ['a field without a colon', `GET / HTTP/1.1\r\n${host}A\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V11: NUL in a value', `GET / HTTP/1.1\r\n${host}A: b\0c\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V1: a bare CR in a value', `GET / HTTP/1.1\r\n${host}A: b\rc\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V1: a bare LF in a value', `GET / HTTP/1.1\r\n${host}A: b\nc: d\r\n\r\n`, 'TSS_FIELD_SYNTAX'],
    ['V1: bare LF all over', 'GET / HTTP/1.1\nHost: a\n\n', 'TSS_REQUEST_LINE'],
    ['V22: no Host', 'GET / HTTP/1.1\r\n\r\n', 'TSS_HOST'],
    ['V22: two Hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 'TSS_HOST'],
    ['V22: an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'TSS_HOST'],
    ['V22: userinfo', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 'TSS_HOST'],
    ['V22: a comma', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 'TSS_HOST'],
    ['V22: a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'TSS_HOST'],
    ['V22: a port out of range', 'GET / HTTP/1.1\r\nHost: a:70000\r\n\r\n', 'TSS_HOST'],
    ['V22: two ports', 'GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n', 'TSS_HOST'],
    ['V22: an open bracket', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 'TSS_HOST'],
    ['V22: target and Host differ', `GET http://evil/ HTTP/1.1\r\n${host}\r\n`, 'TSS_HOST'],
    [
      'V1: two lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
      'TSS_CONTENT_LENGTH',
    ],
    ['V1: a list of lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\n`, 'TSS_CONTENT_LENGTH'],
    ['V1: a signed length', `POST / HTTP/1.1\r\n${host}Content-Length: +5\r\n\r\n`, 'TSS_CONTENT_LENGTH'],
    [
      'V1: a hexadecimal length',
      `POST / HTTP/1.1\r\n${host}Content-Length: 0x5\r\n\r\n`,
      'TSS_CONTENT_LENGTH',
    ],
    ['V1: an empty length', `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`, 'TSS_CONTENT_LENGTH'],
    [
      'V1: a length out of range',
      `POST / HTTP/1.1\r\n${host}Content-Length: 9007199254740993\r\n\r\n`,
      'TSS_CONTENT_LENGTH',
    ],
    [
      'V1: length and coding',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    [
      'V1: two codings',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    [
      'V1: chunked, x',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, x\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    [
      'V1: chunked twice',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, chunked\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    [
      'V1: identity',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    [
      'V1: xchunked',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    [
      'V1: a vertical tab before chunked',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: \x0bchunked\r\n\r\n`,
      'TSS_FIELD_SYNTAX',
    ],
    [
      'gzip, chunked',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      'TSS_TRANSFER_CODING',
    ],
    [
      'a coding in HTTP/1.0',
      `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
      'TSS_TRANSFER_ENCODING',
    ],
    ['an unknown expectation', `POST / HTTP/1.1\r\n${host}Expect: x\r\n\r\n`, 'TSS_EXPECT'],
  ])('%s, however it is split', (_name, text, code) => {
    expect(codesOf(text)).toEqual(new Set([code]));
  });
});
