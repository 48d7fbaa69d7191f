import { describe, expect, test } from 'vitest';
import {
  findClientAddress,
  hasWebBody,
  toAbsoluteUrl,
  toWebHeaders,
  toWebRequest,
} from '../../src/app-host/to-web-request.ts';
import { createExchange } from './create-exchange.ts';

describe('the url of a request', () => {
  test.each([
    ['Host alone', ['Host', 'a.example:8080'], '/x?y', 'http://a.example:8080/x?y'],
    [
      'what the front says of scheme and host',
      ['Host', 'inner', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'a.example'],
      '/x',
      'https://a.example/x',
    ],
    ['an unknown scheme', ['Host', 'a', 'X-Forwarded-Proto', 'ftp'], '/', 'http://a/'],
    ['no host at all', [], '/', 'http://localhost/'],
    ['a literal address', ['Host', '[::1]:80'], '/', 'http://[::1]:80/'],
    ['two slashes', ['Host', 'a'], '//evil/x', 'http://a//evil/x'],
    ['a number sign', ['Host', 'a'], '/x#y', 'http://a/x%23y'],
    ['the asterisk', ['Host', 'a'], '*', 'http://a/*'],
  ])('%s', (_, fields, target, url) => {
    expect(toAbsoluteUrl(fields, target)).toBe(url);
  });

  test.each(['a/b', 'a?b', 'a#b', 'user@a', 'a\\b', 'a b', 'a, b', ''])(
    'a forwarded host of %j cannot move the path',
    (host) => {
      expect(toAbsoluteUrl(['Host', 'good', 'X-Forwarded-Host', host], '/x')).toBe('http://good/x');
    },
  );
});

describe('the headers of a request', () => {
  test('are joined when repeated, and without those of the connection', () => {
    const headers = toWebHeaders([
      'Accept',
      'a',
      'Connection',
      'keep-alive',
      'accept',
      'b',
      'Transfer-Encoding',
      'chunked',
      'X-Own',
      'é',
    ]);
    expect([...headers]).toEqual([
      ['accept', 'a, b'],
      ['x-own', 'é'],
    ]);
  });

  test.each(['__proto__', 'constructor', 'hasOwnProperty'])('V20: %s is a name like any other', (name) => {
    expect(toWebHeaders([name, 'x']).get(name)).toBe('x');
  });
});

describe('a web request', () => {
  const signal = new AbortController().signal;

  test('carries method, url and headers', () => {
    const request = toWebRequest(
      createExchange({ method: 'DELETE', target: '/a', fields: ['Host', 'h', 'A', '1'] }),
      null,
      signal,
    );
    expect([request.method, request.url, request.headers.get('a'), request.body]).toEqual([
      'DELETE',
      'http://h/a',
      '1',
      null,
    ]);
  });

  test('carries a body', async () => {
    const body = new Blob(['hello']).stream() as ReadableStream<Uint8Array>;
    const request = toWebRequest(createExchange({ method: 'POST' }), body, signal);
    expect(await request.text()).toBe('hello');
  });

  test.each([
    ['TRACE', ['Host', 'a']],
    ['GET', ['Host', '[zz]']],
  ])('that cannot be made is a TypeError: %s of %j', (method, fields) => {
    expect(() => toWebRequest(createExchange({ method, fields }), null, signal)).toThrow(TypeError);
  });

  test.each([
    ['POST', 'x', true],
    ['DELETE', 'x', true],
    ['POST', '', false],
    ['GET', 'x', false],
    ['HEAD', 'x', false],
  ])('%s with the body %j carries one: %s', (method, body, carries) => {
    expect(hasWebBody(createExchange({ method, body }))).toBe(carries);
  });
});

describe('the address of the client', () => {
  test.each([
    ['the front says it', ['X-Real-IP', '192.0.2.1', 'X-Forwarded-For', '10.0.0.1'], '192.0.2.1'],
    ['the chain says it', ['X-Forwarded-For', '10.0.0.1, 192.0.2.7'], '192.0.2.7'],
    ['nobody says it', [], 'unix:'],
  ])('%s', (_, fields, address) => {
    expect(findClientAddress(fields)).toBe(address);
  });
});
