import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Handler } from '../../../src/message/handler.ts';
import { mirror, ProxyBench } from './proxy-fixture.ts';

const stranger = '203.0.113.9';
const proxy = '10.0.0.1';

let bench: ProxyBench;
let handler: Handler;
beforeEach(async () => {
  bench = new ProxyBench();
  handler = await bench.startMirror();
});
afterEach(() => bench.close());

/** The values that the upstream got for a name, in order. */
async function readField(name: string, peer: string, fields: string[], scheme: 'http' | 'https' = 'http') {
  const lines = await mirror(handler, { peer, scheme, fields: ['Host', 'site.example:8080', ...fields] });
  const start = `${name.toLowerCase()}: `;
  return lines.filter((line) => line.toLowerCase().startsWith(start)).map((line) => line.slice(start.length));
}

describe('T18, V23: what an upstream hears about the client:', () => {
  test.each<[string, string, string, string[], string[]]>([
    ['a stranger', stranger, 'X-Forwarded-For', [], [stranger]],
    ['a forger', stranger, 'X-Forwarded-For', ['X-Forwarded-For', '1.1.1.1'], [stranger]],
    [
      'a forger twice',
      stranger,
      'X-Forwarded-For',
      ['x-forwarded-for', '1.1.1.1', 'X-Forwarded-For', '2.2.2.2'],
      [stranger],
    ],
    ['a proxy', proxy, 'X-Forwarded-For', ['X-Forwarded-For', '1.1.1.1'], [`1.1.1.1, ${proxy}`]],
    [
      'a proxy with two lines',
      proxy,
      'X-Forwarded-For',
      ['X-Forwarded-For', '1.1.1.1', 'X-Forwarded-For', '2.2.2.2'],
      [`1.1.1.1, 2.2.2.2, ${proxy}`],
    ],
    ['a proxy that says nothing', proxy, 'X-Forwarded-For', [], [proxy]],
    ['a stranger', stranger, 'X-Forwarded-Proto', [], ['http']],
    ['a forger', stranger, 'X-Forwarded-Proto', ['X-Forwarded-Proto', 'https'], ['http']],
    ['a proxy', proxy, 'X-Forwarded-Proto', ['X-Forwarded-Proto', 'https'], ['https']],
    ['a proxy that says nothing', proxy, 'X-Forwarded-Proto', [], ['http']],
    ['a stranger', stranger, 'X-Forwarded-Host', [], ['site.example:8080']],
    ['a forger', stranger, 'X-Forwarded-Host', ['X-Forwarded-Host', 'evil'], ['site.example:8080']],
    ['a proxy', proxy, 'X-Forwarded-Host', ['X-Forwarded-Host', 'outer'], ['outer']],
    ['a forger', stranger, 'X-Forwarded-Port', ['X-Forwarded-Port', '443'], []],
    ['a proxy', proxy, 'X-Forwarded-Port', ['X-Forwarded-Port', '443'], ['443']],
    ['a forger', stranger, 'X-Forwarded-Prefix', ['X-Forwarded-Prefix', '/admin'], []],
    ['a proxy', proxy, 'X-Forwarded-Prefix', ['X-Forwarded-Prefix', '/app'], ['/app']],
    ['a forger', stranger, 'X-Real-IP', ['X-Real-IP', '1.1.1.1'], [stranger]],
    [
      'a proxy',
      proxy,
      'X-Real-IP',
      ['X-Real-IP', '1.1.1.1', 'X-Forwarded-For', '6.6.6.6, 2.2.2.2'],
      ['2.2.2.2'],
    ],
    ['a forger', stranger, 'Forwarded', ['Forwarded', 'for=1.1.1.1'], []],
    ['a proxy', proxy, 'Forwarded', ['Forwarded', 'for=1.1.1.1'], [`for=1.1.1.1, for=${proxy};proto=http`]],
    ['a proxy that says nothing', proxy, 'Forwarded', [], []],
    ['a forger', stranger, 'X-Original-URL', ['X-Original-URL', '/admin'], []],
    ['a proxy', proxy, 'X-Original-URL', ['X-Original-URL', '/x'], ['/x']],
    ...['X-Forwarded', 'True-Client-IP', 'X-Client-IP', 'CF-Connecting-IP', 'Client-IP', 'X-Scheme'].flatMap(
      (name): [string, string, string, string[], string[]][] => [
        ['a forger', stranger, name, [name, '1.1.1.1'], []],
        ['a proxy', proxy, name, [name, '1.1.1.1'], ['1.1.1.1']],
      ],
    ),
    ['a unix socket', 'unix:', 'X-Forwarded-For', ['X-Forwarded-For', '1.1.1.1'], ['unix:']],
  ])('%s (%s), %s', async (_, peer, name, fields, expected) => {
    expect(await readField(name, peer, fields)).toEqual(expected);
  });

  test('https is told once', async () => {
    expect(await readField('X-Forwarded-Proto', stranger, ['X-Forwarded-Proto', 'https'], 'https')).toEqual([
      'https',
    ]);
  });

  test('the request id is ours', async () => {
    const ids = await readField('X-Request-Id', proxy, ['X-Request-Id', 'forged']);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });
});

describe('V25: a field that Connection nominates', () => {
  test('is dropped', async () => {
    expect(
      await readField('X-Internal', stranger, ['Connection', 'close, X-Internal', 'X-Internal', '1']),
    ).toEqual([]);
  });

  test.each([stranger, proxy])('cannot take away what we say (peer %s)', async (peer) => {
    const fields = [
      'Connection',
      'X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP, Host, X-Request-Id',
      'X-Forwarded-For',
      '1.1.1.1',
    ];
    const lines = await mirror(handler, { peer, fields: ['Host', 'site.example', ...fields] });
    const names = lines.slice(1).map((line) => line.split(':')[0]);
    expect(names).toEqual([
      'Host',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'X-Real-IP',
      'X-Request-Id',
    ]);
    expect(lines.join()).toContain(peer);
  });
});

describe('a field that ends here', () => {
  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Content-Length',
    'Expect',
  ])('is %s', async (name) => {
    expect(await readField(name, stranger, [name, 'keep-alive'])).toEqual([]);
  });

  test.each([
    ['V3', 'Upgrade', 'h2c'],
    ['V3', 'HTTP2-Settings', 'AAMAAABkAAQAAP__'],
    ['V27', 'Proxy', 'http://evil'],
    ['V24', 'Remote_User', 'admin'],
    ['V24', 'X_Forwarded_For', '1.1.1.1'],
    ['V26', 'X-Accel-Redirect', '/secret'],
    ['V26', 'x-accel-buffering', 'no'],
    ['V26', 'X-Sendfile', '/etc/passwd'],
  ])('%s: is %s', async (_, name, value) => {
    expect(await readField(name, stranger, ['Connection', 'Upgrade, HTTP2-Settings', name, value])).toEqual(
      [],
    );
    expect(await readField(name, proxy, [name, value])).toEqual([]);
  });
});

test('every other field passes as it was, in order', async () => {
  const fields = ['accept', '*/*', 'Cookie', 'a=1', 'X-Latin', 'é', 'Cookie', 'b=2', 'constructor', 'x'];
  const lines = await mirror(handler, { fields: ['Host', 'a', ...fields] });
  expect(lines.slice(0, 7)).toEqual([
    'GET / HTTP/1.1',
    'Host: a',
    'accept: */*',
    'Cookie: a=1',
    'X-Latin: é',
    'Cookie: b=2',
    'constructor: x',
  ]);
});

describe('the Host that an upstream sees', () => {
  test("is the client's", async () => {
    expect((await mirror(handler, { fields: ['hOST', 'Site.Example:81'] }))[1]).toBe('Host: Site.Example:81');
  });

  test('is there for a client of HTTP/1.0 too', async () => {
    expect((await mirror(handler, { httpVersion: '1.0', fields: [] }))[1]).toBe('Host: site.example');
  });

  test('is the one that is set', async () => {
    const fixed = await bench.startMirror({ host: 'inner.example:1' });
    expect((await mirror(fixed))[1]).toBe('Host: inner.example:1');
    const computed = await bench.startMirror({ host: '$host.inner' });
    expect((await mirror(computed))[1]).toBe('Host: site.example.inner');
  });

  test.each(['evil host', 'a\r\nX: y', '', 'a/b', 'a,b'])('V11: is never %j', async (value) => {
    const computed = await bench.startMirror({ host: '$http_x_host' });
    await expect(mirror(computed, { fields: ['Host', 'a', 'X-Host', value] })).rejects.toMatchObject({
      code: 'TSS_HOST',
      status: 400,
    });
  });
});
