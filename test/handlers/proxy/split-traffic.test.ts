import { describe, expect, test } from 'vitest';
import { splitShape } from '../../../src/handlers/proxy/split-shape.ts';
import { compileSplit, compileSplitCookie } from '../../../src/handlers/proxy/split-traffic.ts';
import type { Fields } from '../../../src/message/fields.ts';
import { createExchange } from './proxy-fixture.ts';

const ask = (fields: Fields = [], scheme: 'http' | 'https' = 'http') =>
  createExchange({ fields: ['Host', 'a', ...fields], scheme });

/** How many of 100 000 keys each upstream gets. */
function count(shares: { upstream: string; share: number }[], key: (i: number) => string) {
  const choose = compileSplit(splitShape.parse({ to: shares, key: '$http_x_key' }), 'rest');
  const counts: Record<string, number> = {};
  for (let i = 0; i < 100_000; i++) {
    const name = choose(ask(['X-Key', key(i)]));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('a split by share', () => {
  test.each<[string, (i: number) => string]>([
    ['numbers', (i) => String(i)],
    ['addresses', (i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
    ['long texts', (i) => `user-${i}@example.com/${'x'.repeat(50)}`],
  ])('gives each upstream its percent of the keys: %s', (_, key) => {
    const counts = count(
      [
        { upstream: 'a', share: 5 },
        { upstream: 'b', share: 0.5 },
        { upstream: 'c', share: 30 },
      ],
      key,
    );
    expect(Math.abs(counts.a - 5000)).toBeLessThan(350);
    expect(Math.abs(counts.b - 500)).toBeLessThan(120);
    expect(Math.abs(counts.c - 30_000)).toBeLessThan(750);
    expect(Math.abs(counts.rest - 64_500)).toBeLessThan(800);
  });

  test('of 0 or of 100 percent is nothing or everything', () => {
    expect(count([{ upstream: 'a', share: 0 }], String)).toEqual({ rest: 100_000 });
    expect(count([{ upstream: 'a', share: 100 }], String)).toEqual({ a: 100_000 });
  });

  test('is the same in every process and after every restart', () => {
    const choose = compileSplit(
      splitShape.parse({ to: [{ upstream: 'a', share: 50 }], key: '$http_x_key' }),
      'rest',
    );
    const chosen = ['x', 'y', 'z', '10.0.0.1', '10.0.0.2', ''].map((key) => choose(ask(['X-Key', key])));
    expect(chosen).toMatchInlineSnapshot(`
      [
        "a",
        "a",
        "a",
        "rest",
        "a",
        "rest",
      ]
    `);
  });

  test('keeps what it gave when a share grows', () => {
    const compile = (share: number) =>
      compileSplit(splitShape.parse({ to: [{ upstream: 'a', share }], key: '$http_x_key' }), 'rest');
    const [small, large] = [compile(10), compile(25)];
    for (let i = 0; i < 2000; i++) {
      const exchange = ask(['X-Key', String(i)]);
      if (small(exchange) === 'a') expect(large(exchange)).toBe('a');
    }
  });
});

describe('a split with a cookie', () => {
  const settings = splitShape.parse({
    to: [
      { upstream: 'new', share: 0 },
      { upstream: 'all', share: 100 },
    ],
    cookie: 'variant',
  });
  const choose = compileSplit(settings, 'old');
  const give = (fields: Fields, scheme?: 'https') => {
    const given: Fields = [];
    compileSplitCookie(settings, choose)?.(ask(fields, scheme), given);
    return given;
  };

  test('goes where the cookie says, if it names one of the upstreams', () => {
    expect(
      ['new', 'old', 'all', 'other', ''].map((name) => choose(ask(['Cookie', `a=b; variant=${name}`]))),
    ).toEqual(['new', 'old', 'all', 'all', 'all']);
  });

  test('gives the cookie to whoever has none that counts', () => {
    const cookie = 'variant=all; Path=/; HttpOnly; SameSite=Lax';
    expect(give([])).toEqual(['Set-Cookie', cookie]);
    expect(give(['Cookie', 'variant=x'], 'https')).toEqual(['Set-Cookie', `${cookie}; Secure`]);
    expect(give(['Cookie', 'variant=new'])).toEqual([]);
  });
});

test.each([
  [
    'more than everything',
    {
      to: [
        { upstream: 'a', share: 60 },
        { upstream: 'b', share: 50 },
      ],
    },
    '110 percent',
  ],
  ['a bad cookie', { to: [{ upstream: 'a', share: 5 }], cookie: 'a;b' }, 'cannot name this cookie'],
  ['a bad key', { to: [{ upstream: 'a', share: 5 }], key: '$nothing' }, 'unknown variable'],
  ['nobody', { to: [] }, 'to'],
])('T29: a split is refused that has %s', (_, settings, problem) => {
  expect(JSON.stringify(splitShape.safeParse(settings).error?.issues)).toContain(problem);
});
