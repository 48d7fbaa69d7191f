import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { proxyShape } from '../../../src/handlers/proxy/proxy-shape.ts';
import { getField } from '../../../src/message/fields.ts';
import { answer } from '../../upstream/upstream-fixture.ts';
import { type Ask, handle, ProxyBench, type ProxyInput } from './proxy-fixture.ts';

let bench: ProxyBench;
beforeEach(() => {
  bench = new ProxyBench();
});
afterEach(() => bench.close());

/** The fields that a client gets when the upstream answers with these. */
async function readFields(settings: ProxyInput, lines: string, ask: Ask = {}): Promise<string[]> {
  const peer = await bench.around.startPeer(() => answer('', `${lines}\r\n`));
  const upstream = bench.around.createUpstream({ servers: [peer.url] });
  return (await handle(bench.create(upstream, settings), ask)).fields;
}

describe('a field of a response', () => {
  test('that is hidden does not reach the client, whatever its case', async () => {
    const lines = 'x-powered-by: PHP\r\nX-Runtime: 5\r\nX-Other: 1';
    expect(await readFields({ hideHeaders: ['X-Powered-By', 'x-runtime'] }, lines)).toEqual(['X-Other', '1']);
  });

  test('that ends here reaches the client when it is passed, but not when the peer nominates it', async () => {
    const passHeaders = ['server', 'X-Accel-Redirect', 'X-Hop'];
    const lines =
      'Server: inner\r\nX-Accel-Redirect: /a\r\nX-Accel-Expires: 5\r\nConnection: X-Hop\r\nX-Hop: 1';
    expect(await readFields({ passHeaders }, lines)).toEqual(['Server', 'inner', 'X-Accel-Redirect', '/a']);
  });
});

describe('redirect', () => {
  const location = async (settings: ProxyInput, value: string, ask?: Ask) =>
    getField(await readFields(settings, `Location: ${value}`, ask), 'location');
  const inner = { host: 'inner.example:81' };

  test.each<[string, ProxyInput, string, string]>([
    ['the host is passed on', {}, 'http://site.example/a', 'http://site.example/a'],
    ['another host is told', inner, 'http://inner.example:81/a?b#c', '/a?b#c'],
    ['another host is told', inner, 'https://INNER.example:81', '/'],
    ['another host is told', inner, 'http://inner.example:81?x', '/?x'],
    ['another port', inner, 'http://inner.example:8181/a', 'http://inner.example:8181/a'],
    ['a longer name', inner, 'http://inner.example:81.evil/a', 'http://inner.example:81.evil/a'],
    ['another site', inner, 'https://other.example/a', 'https://other.example/a'],
    ['a path', inner, '/a', '/a'],
    ['a prefix is taken off', { stripPrefix: '/old' }, 'http://site.example/a', '/old/a'],
    ['the application knows of it', { stripPrefix: '/old' }, 'http://site.example/old/a', '/old/a'],
    ['a prefix is put in front', { ...inner, addPrefix: '/app' }, 'http://inner.example:81/app/a', '/a'],
    [
      'both',
      { ...inner, stripPrefix: '/o d', addPrefix: '/app' },
      'http://inner.example:81/app/a',
      '/o%20d/a',
    ],
    [
      'beside the prefix',
      { ...inner, addPrefix: '/app' },
      'http://inner.example:81/apple',
      'http://inner.example:81/apple',
    ],
    ['V12: what a browser would take for a host', inner, 'http://inner.example:81//evil/a', '/evil/a'],
    ['it is off', { ...inner, redirect: 'off' }, 'http://inner.example:81/a', 'http://inner.example:81/a'],
    ['there are pairs', { redirect: { 'http://a/': '/x/', 'http://': 'https://' } }, 'http://a/b', '/x/b'],
    [
      'there are pairs',
      { redirect: { 'http://a/': '/x/', 'http://': 'https://' } },
      'http://b/b',
      'https://b/b',
    ],
    [
      'pairs hold variables',
      { redirect: { 'http://$host/': '$scheme://$host:8443/' } },
      'http://site.example/b',
      'http://site.example:8443/b',
    ],
    [
      'a regular expression fits',
      { redirect: { '~^http://([a-z]+):(\\d+)/(.*)': '/$' + '{1}/$2/$$1/$3' } },
      'http://app:80/b',
      '/app/80/$1/b',
    ],
    ['case counts', { redirect: { '~^HTTP://a(.*)': '$1' } }, 'http://a/b', 'http://a/b'],
    ['case does not count', { redirect: { '~*^HTTP://a(.*)': '$1' } }, 'http://a/b', '/b'],
    ['no pair fits', { redirect: { '/a': '/b' } }, '/c/a', '/c/a'],
  ])('when %s', async (_, settings, from, to) => {
    expect(await location(settings, from)).toBe(to);
  });

  test('also holds for Refresh', async () => {
    const fields = await readFields(inner, 'Refresh: 5; url=http://inner.example:81/a');
    expect(getField(fields, 'refresh')).toBe('5; url=/a');
  });

  test('V11: what a variable holds cannot end the line', async () => {
    const settings = { redirect: { '/a': '/$http_x_to/' } };
    expect(await location(settings, '/a', { fields: ['Host', 'a', 'X-To', 'b\r\nSet-Cookie: x'] })).toBe(
      '/b%0D%0ASet-Cookie: x/',
    );
  });
});

describe('a cookie', () => {
  const cookies = async (settings: ProxyInput, ...values: string[]) => {
    const fields = await readFields(settings, values.map((value) => `Set-Cookie: ${value}`).join('\r\n'));
    return fields.filter((_, i) => i % 2 === 1);
  };

  test.each<[string, ProxyInput, string, string]>([
    [
      'its domain',
      { cookieDomain: { 'inner.example': '$host' } },
      'a=1; Domain=.INNER.example; Path=/',
      'a=1; Domain=site.example; Path=/',
    ],
    [
      'its domain',
      { cookieDomain: { '~^([a-z]+)\\.inner$': '.$1.outer' } },
      'a=1;domain=x.Inner',
      'a=1; domain=x.outer',
    ],
    ['no domain', { cookieDomain: { localhost: '' } }, 'a=1; Domain=localhost; Secure', 'a=1; Secure'],
    ['another domain as it was', { cookieDomain: { 'a.b': 'c' } }, 'a=1;Domain=x.a.b', 'a=1;Domain=x.a.b'],
    ['its path', { cookiePath: { '/app/': '/' } }, 'a=1; path=/app/x', 'a=1; path=/x'],
    ['its path', { cookiePath: { '~*^/APP/(.*)$': '/$1/' } }, 'a=1; Path=/app/x', 'a=1; Path=/x/'],
    ['a value that looks like a path', { cookiePath: { '/': '/x/' } }, 'path=/; a', 'path=/; a'],
    [
      'flags',
      { cookieFlags: { a: ['secure', 'httponly', 'samesite=strict'] } },
      'a=1; SameSite=None',
      'a=1; SameSite=Strict; Secure; HttpOnly',
    ],
    [
      'flags by pattern',
      { cookieFlags: { '~^S': ['nosecure', 'nohttponly', 'nosamesite'] } },
      'sid=1; secure; HttpOnly; samesite=Lax; Path=/',
      'sid=1; Path=/',
    ],
    [
      'the flags of the first rule',
      { cookieFlags: { b: ['secure'], '~': ['httponly'] } },
      'a=1',
      'a=1; HttpOnly',
    ],
    ['nothing', { cookieFlags: { b: ['secure'] } }, 'a=1;  Path=/', 'a=1;  Path=/'],
  ])('gets %s', async (_, settings, from, to) => {
    expect(await cookies(settings, from, 'zz=1')).toEqual([
      to,
      settings.cookieFlags && '~' in settings.cookieFlags ? 'zz=1; HttpOnly' : 'zz=1',
    ]);
  });

  test('V11: gets no attribute from a variable', async () => {
    const settings = { cookieDomain: { 'a.b': '$http_x' } };
    const fields = await readFields(settings, 'Set-Cookie: a=1; Domain=a.b', {
      fields: ['Host', 'a', 'X', 'c; Secure\r\nX: y'],
    });
    expect(fields).toEqual(['Set-Cookie', 'a=1; Domain=c%3B Secure%0D%0AX: y']);
  });
});

describe('T29: a setting that cannot be meant', () => {
  test.each<[string, ProxyInput, string]>([
    ['a field of the connection', { headers: { 'transfer-encoding': 'x' } }, 'belongs to one connection'],
    ['Host', { headers: { host: 'a' } }, 'has a key of its own'],
    ['Expect', { headers: { Expect: 'x' } }, 'answered here'],
    ['a field twice', { headers: { A: 'x', a: 'y' } }, 'there twice'],
    ['a variable of no name', { headers: { A: '$nothing' } }, 'unknown variable'],
    ['a hidden field of the connection', { hideHeaders: ['Connection'] }, 'belongs to one connection'],
    ['a bad regular expression', { redirect: { '~(': '/' } }, 'bad regular expression'],
    ['a bad replacement', { redirect: { '~a': '$1 $nothing' } }, 'unknown variable "$nothing"'],
    ['a group without an expression', { redirect: { a: '$1' } }, 'unknown variable "$1"'],
    ['a bad pattern of cookies', { cookieFlags: { '~*[': ['secure'] } }, 'bad regular expression'],
  ])('is refused: %s', (_, settings, problem) => {
    const { error } = proxyShape.safeParse({ upstream: 'a', ...settings });
    expect(JSON.stringify(error?.issues)).toContain(JSON.stringify(problem).slice(1, -1));
  });
});
