import { describe, expect, test } from 'vitest';
import { proxyShape } from '../../../src/handlers/proxy/proxy-shape.ts';
import { compileTarget } from '../../../src/handlers/proxy/upstream-target.ts';
import { createExchange } from './proxy-fixture.ts';

const target = (strip: string, add: string, asked: string, redirectTo?: string) =>
  compileTarget(
    strip,
    add,
  )(createExchange(redirectTo === undefined ? { target: asked } : { target: asked, redirectTo }));

describe('without prefixes the target goes through byte for byte', () => {
  test.each(['/', '/a%2Fb', '/a//b/../c', '/%6fld', '/a?', '/a?x=%zz&y=?', '/%FF', '/a;b|c'])(
    '%s',
    (asked) => {
      expect(target('', '', asked)).toBe(asked);
    },
  );
});

describe('V6: with a prefix to strip, what remains is what was matched', () => {
  test.each([
    ['/old/x', '/x'],
    ['/old/', '/'],
    ['/old', '/'],
    ['/old?a=b', '/?a=b'],
    ['/old/?', '/?'],
    ['/old/x?', '/x?'],
    ['/older/x', '/older/x'],
    ['/%6fld/x', '/x'],
    ['/old//x', '/x'],
    ['//old///x', '/x'],
    ['/./old/x', '/x'],
    ['/x/../old/y', '/y'],
    ['/old/../x', '/x'],
    ['/old/..%2fx', '/x'],
    ['/old%2fx', '/x'],
    ['/old/%2e%2e/x', '/x'],
    ['/old/a%2fb', '/a/b'],
    ['/old/%252e%252e/x', '/%252e%252e/x'],
    ['/old/a%20b%3Fc%23d', '/a%20b%3Fc%23d'],
    ['/old/%FF%C3%A9', '/%FF%C3%A9'],
    ['/old/a?b=/old/../c%2f', '/a?b=/old/../c%2f'],
    ['/other', '/other'],
  ])('%s becomes %s', (asked, expected) => {
    expect(target('/old', '', asked)).toBe(expected);
  });
});

test.each([
  ['', '/new', '/x?q', '/new/x?q'],
  ['', '/new', '/', '/new/'],
  ['/old', '/new', '/old/x', '/new/x'],
  ['/old', '/new', '/old', '/new/'],
  ['', '/nü', '/x', '/n%C3%BC/x'],
])('strip %j, add %j: %s becomes %s', (strip, add, asked, expected) => {
  expect(target(strip, add, asked)).toBe(expected);
});

test('after an internal redirect the new path counts', () => {
  expect(target('', '', '/raw?a', '/new path?b=1')).toBe('/new%20path?b=1');
  expect(target('', '', '/raw?a', '/new')).toBe('/new');
  expect(target('/new', '', '/raw?a', '/new/x?c d')).toBe('/x?c%20d');
});

describe('the setting', () => {
  test('may be a name', () => {
    expect(proxyShape.parse('api')).toEqual(proxyShape.parse({ upstream: 'api' }));
    expect(proxyShape.parse('api')).toMatchObject({
      upstream: 'api',
      stripPrefix: '',
      addPrefix: '',
      host: null,
    });
  });

  test.each([
    ['/old', '/old'],
    ['/old/', '/old'],
    ['/', ''],
    ['', ''],
    ['/ä b', '/ä b'],
  ])('takes %j for the prefix %j', (written, expected) => {
    expect(proxyShape.parse({ upstream: 'a', stripPrefix: written })).toMatchObject({
      stripPrefix: expected,
    });
  });

  test.each(['old', '/a//b', '/a/../b', '/./a', '/a?b', '/a#b', '/a%20b', '/a\nb', '/a\\b'])(
    'refuses the prefix %j',
    (prefix) => {
      expect(() => proxyShape.parse({ upstream: 'a', stripPrefix: prefix })).toThrow();
      expect(() => proxyShape.parse({ upstream: 'a', addPrefix: prefix })).toThrow();
    },
  );

  test.each([{}, { upstream: 1 }, { upstream: 'a', host: '$nothing' }, { upstream: 'a', uri: '/' }])(
    'refuses %j',
    (settings) => {
      expect(() => proxyShape.parse(settings)).toThrow();
    },
  );
});
