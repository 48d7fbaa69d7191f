import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLeanRequest } from '../../src/app-host/lean-request.ts';
import { findClientAddress, toUrl, toWebHeaders, toWebMethod } from '../../src/app-host/to-web-request.ts';
import { createExchange } from './create-exchange.ts';

const readUrl = (fields: string[], target: string) =>
  createLeanRequest(createExchange({ fields, target }))?.url;

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
    ['a literal address', ['Host', '[::1]:81'], '/', 'http://[::1]:81/'],
    ['two slashes', ['Host', 'a'], '//evil/x', 'http://a//evil/x'],
    ['a number sign', ['Host', 'a'], '/x#y', 'http://a/x%23y'],
    ['the asterisk', ['Host', 'a'], '*', 'http://a/*'],
    ['dot segments', ['Host', 'a'], '/x/../y/%2E%2e/z', 'http://a/z'],
    ['a host in capitals with the port of its scheme', ['Host', 'A.Example:80'], '/', 'http://a.example/'],
    ['a number for a host', ['Host', '1.2'], '/', 'http://1.0.0.2/'],
  ])('%s', (_, fields, target, url) => {
    expect(readUrl(fields, target)).toBe(url);
  });

  test.each(['a/b', 'a?b', 'a#b', 'user@a', 'a\\b', 'a b', 'a, b', ''])(
    'a forwarded host of %j cannot move the path',
    (host) => {
      expect(readUrl(['Host', 'good', 'X-Forwarded-Host', host], '/x')).toBe('http://good/x');
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
  test('carries method, url and headers', () => {
    const request = createLeanRequest(
      createExchange({ method: 'DELETE', target: '/a', fields: ['Host', 'h', 'A', '1'] }),
    );
    expect([request?.method, request?.url, request?.headers.get('a'), request?.body]).toEqual([
      'DELETE',
      'http://h/a',
      '1',
      null,
    ]);
  });

  test('carries a body', async () => {
    expect(await createLeanRequest(createExchange({ method: 'POST', body: 'hello' }))?.text()).toBe('hello');
  });

  test.each([
    ['TRACE', ['Host', 'a']],
    ['connect', ['Host', 'a']],
    ['GET', ['Host', '[zz]']],
    ['GET', ['Host', '1.2.3.4.5']],
    ['GET', ['Host', 'a:99999']],
  ])('cannot be made: %s of %j', (method, fields) => {
    expect(createLeanRequest(createExchange({ method, fields }))).toBeNull();
  });

  test('is told about hosts, however many there were', () => {
    for (let i = 0; i < 1000; i++) expect(readUrl(['Host', `h${i}`], '/')).toBe(`http://h${i}/`);
    expect(readUrl(['Host', 'h1'], '/')).toBe('http://h1/');
  });

  test.each(['get', 'Post', 'patch', 'PROPFIND', 'Propfind'])(
    'has its method as the platform writes it: %s',
    (method) => {
      expect(toWebMethod(method)).toBe(new Request('http://a/', { method }).method);
    },
  );

  test.each([
    ['POST', 'x', true],
    ['DELETE', 'x', true],
    ['POST', '', false],
    ['GET', 'x', false],
    ['HEAD', 'x', false],
  ])('%s with the body %j carries one: %s', (method, body, carries) => {
    expect(createLeanRequest(createExchange({ method, body }))?.body !== null).toBe(carries);
  });

  test('has the url that the platform would make of it, whatever the target', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '/',
        '.',
        '..',
        '%2e',
        '%2E',
        '?',
        '#',
        '\\',
        '%',
        '%4',
        "'",
        '"',
        '|',
        '{',
        '^',
        ' ',
        '\t',
        'é',
      ),
      fc.string({ minLength: 1, maxLength: 3, unit: 'binary-ascii' }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const target = `/${parts.join('')}`;
        expect(toUrl('http://a', target)).toBe(new Request(`http://a${target.replaceAll('#', '%23')}`).url);
      }),
      { numRuns: 500 },
    );
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
