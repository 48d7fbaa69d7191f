import { describe, expect, test } from 'vitest';
import { parseCgiHead } from '../../src/cgi/parse-response-head.ts';

const parse = (text: string, mayHaveStatusLine = false) => parseCgiHead(text, mayHaveStatusLine, 100);

describe('the head of a CGI response', () => {
  test.each<[string, number, string[]]>([
    ['Content-Type: text/plain\r\n', 200, ['Content-Type', 'text/plain']],
    ['Content-Type:text/plain\n', 200, ['Content-Type', 'text/plain']],
    ['A: \t x y \t\r\nB:\n', 200, ['A', 'x y', 'B', '']],
    ['Status: 404 Not Found\nA: b\n', 404, ['A', 'b']],
    ['status:201\n', 201, []],
    ['Status: 200 \n', 200, []],
    ['Location: /x\n', 302, ['Location', '/x']],
    ['Location: /x\nStatus: 301\n', 301, ['Location', '/x']],
    ['Set-Cookie: a=1\nSet-Cookie: b=2\n', 200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']],
    ['A: \xa0\xe9\xa0\n', 200, ['A', '\xa0\xe9\xa0']],
  ])('%j is understood', (text, status, fields) => {
    expect(parse(text)).toEqual({ status, fields, contentLength: null });
  });

  test('tells the length of the body', () => {
    expect(parse('Content-Length: 12\n').contentLength).toBe(12);
    expect(parse('content-length:0\n').contentLength).toBe(0);
  });

  test('may begin with the status line of HTTP where the protocol has that', () => {
    expect(parse('HTTP/1.1 404 Not Found\r\nStatus: 200\r\nA: b\r\n', true)).toEqual({
      status: 404,
      fields: ['A', 'b'],
      contentLength: null,
    });
    expect(parse('HTTP/1.0 204\r\n', true)).toEqual({ status: 204, fields: [], contentLength: null });
    expect(() => parse('HTTP/1.1 404 Not Found\r\n')).toThrow('is no field');
  });

  test.each([
    ['', 'without any field'],
    ['hello\n', 'no field'],
    [': x\n', 'no field'],
    ['A B: x\n', 'no field'],
    ['A : x\n', 'no field'],
    [' A: x\n', 'no field'],
    ['A: x\n folded\n', 'no field'],
    ['\xc3: x\n', 'no field'],
    ['A: x\0\n', 'control byte'],
    ['A: x\rB: y\n', 'control byte'],
    ['A: x\r\r\n', 'control byte'],
    ['A\x7f: x\n', 'control byte'],
    ['Status: 99\n', 'status'],
    ['Status: 100 Continue\n', 'status'],
    ['Status: 101\n', 'status'],
    ['Status: 600\n', 'status'],
    ['Status: 2000\n', 'status'],
    ['Status: OK\n', 'status'],
    ['Status: \n', 'status'],
    ['Status: 200\nStatus: 200\n', 'two Status'],
    ['Content-Length: 1\nContent-Length: 1\n', 'two fields'],
    ['Content-Length: -1\n', 'body of'],
    ['Content-Length: 1, 1\n', 'body of'],
    ['Content-Length: 0x10\n', 'body of'],
    ['Content-Length: 9999999999999999\n', 'body of'],
    ['Content-Length: \n', 'body of'],
    [`${'A: b\n'.repeat(101)}`, 'more than 100'],
  ])('V38: %j is refused', (text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });

  test.each([
    'HTTP/1.1 99\n',
    'HTTP/1.1  200\n',
    'HTTP/2 200\n',
    'HTTP/1.1 101 x\n',
    'HTTP/1.1 2000\n',
    'HTTP/\n',
  ])('V38: the status line %j is refused', (text) => {
    expect(() => parse(text, true)).toThrow('TSS_UPSTREAM_RESPONSE');
  });

  test('V19: a line of 64 KiB costs no more than its length', () => {
    const started = performance.now();
    for (const filler of [' ', '\t', 'a', ':', '-', '\xa0'])
      expect(() => parse(`A:${filler.repeat(65_000)}\0\n`)).toThrow('control byte');
    expect(performance.now() - started).toBeLessThan(200);
  });
});
