// Cases of the class Headers: what any of its members says, and what each refuses.

import { inspect } from 'node:util';
import { attempt, type WebCase, type WebClasses } from './web-classes.ts';

type Loose = Record<string, (...given: unknown[]) => unknown>;

/** The members as callers without types may call them. */
const loose = (object: unknown): Loose => object as Loose;

const make = ({ Headers }: WebClasses, init?: unknown): Headers =>
  new Headers(init as Record<string, string>);
const list = (headers: Headers): unknown => [...headers];

const inits: readonly (readonly [title: string, init: () => unknown])[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => 5],
  ['a text', () => 'a: b'],
  ['true', () => true],
  ['a symbol', () => Symbol('x')],
  ['a function', () => () => {}],
  ['a function with members', () => Object.assign(() => {}, { a: '1' })],
  ['an empty object', () => ({})],
  ['a record', () => ({ B: '2', a: '1' })],
  ['a record of numbers', () => ({ a: 1, b: 0, c: -0, d: 1e21, e: 1n })],
  ['a record of odd values', () => ({ a: null, b: undefined, c: true, d: ['x', 'y'], e: {} })],
  ['a record with a symbol for a value', () => ({ a: Symbol('x') })],
  ['a record with a symbol for a name', () => ({ [Symbol('x')]: 'a' })],
  ['a record with a hidden symbol', () => Object.defineProperty({ a: '1' }, Symbol('x'), { value: 'a' })],
  ['a record with a hidden member', () => Object.defineProperty({ a: '1' }, 'b', { value: '2' })],
  ['a record without a prototype', () => Object.assign(Object.create(null), { a: '1' })],
  ['a record that inherits', () => Object.assign(Object.create({ inherited: 'x' }), { a: '1' })],
  ['a record with __proto__', () => JSON.parse('{"__proto__":"1","constructor":"2"}')],
  ['a record with one name in two cases', () => ({ A: '1', a: '2', 'Set-Cookie': 'x', 'set-cookie': 'y' })],
  ['a record with numeric names', () => ({ 2: 'b', 1: 'a' })],
  [
    'a record with a getter',
    () => ({
      get a() {
        return 'got';
      },
    }),
  ],
  [
    'a record whose getter throws',
    () => ({
      get a(): string {
        throw new RangeError('mine');
      },
    }),
  ],
  ['a record whose value cannot be a text', () => ({ a: Object.create(null) })],
  [
    'a record whose value throws',
    () => ({
      a: {
        toString() {
          throw new RangeError('mine');
        },
      },
    }),
  ],
  ['a record with an empty name', () => ({ '': 'x' })],
  ['a record with a name that is none', () => ({ 'a b': 'x' })],
  ['a record with a name beyond latin1', () => ({ 'a\u0100': 'x' })],
  ['a record with the Kelvin sign', () => ({ '\u212a': 'x' })],
  ['a record with a value beyond latin1', () => ({ a: '\u20ac' })],
  ['a record with a line end', () => ({ a: 'x\r\ny: z' })],
  ['a record whose iterator is null', () => ({ a: '1', [Symbol.iterator]: null })],
  ['a record whose iterator is a text', () => ({ a: '1', [Symbol.iterator]: 'x' })],
  ['a proxy of a record', () => new Proxy({ a: '1', b: '2' }, {})],
  ['no pairs', () => []],
  [
    'pairs',
    () => [
      ['B', '2'],
      ['a', '1'],
      ['b', '3'],
    ],
  ],
  ['pairs of numbers', () => [[1, 2]]],
  ['a pair that is too short', () => [['a']]],
  ['a pair that is too long', () => [['a', 'b', 'c']]],
  ['an empty pair', () => [[]]],
  ['a pair that is a text', () => ['ab']],
  ['a pair that is a number', () => [5]],
  ['a pair that is null', () => [null]],
  ['a pair that is a set', () => [new Set(['a', 'b'])]],
  ['a pair with a hole', () => [new Array(2).fill('a', 0, 1)]],
  [
    'a map',
    () =>
      new Map([
        ['B', '2'],
        ['a', '1'],
      ]),
  ],
  [
    'a generator',
    () =>
      (function* () {
        yield ['a', '1'];
        yield ['a', '2'];
      })(),
  ],
  [
    'a generator that throws',
    () =>
      (function* () {
        yield ['a', '1'];
        throw new RangeError('mine');
      })(),
  ],
  ['search parameters', () => new URLSearchParams('b=2&a=1&b=3')],
  [
    'form data',
    () => {
      const form = new FormData();
      form.append('a', '1');
      return form;
    },
  ],
  ['an array with a member', () => Object.assign([['a', '1']], { b: '2' })],
];

/** Calls on headers of a=1, with what follows from them. */
const names: readonly unknown[] = [
  'A',
  'none',
  '',
  ' a',
  'a b',
  'a:',
  'a\n',
  '\u0100',
  '\u212a',
  5,
  null,
  undefined,
  true,
  {},
  ['a'],
  Symbol('x'),
  Object.create(null),
];
const values: readonly unknown[] = [
  'x',
  '',
  ' x ',
  '\t\r\nx\n',
  ' ',
  'x\ny',
  'x\ry',
  'x\0y',
  '\0',
  'x\x01\x7f',
  '\xe9\xff',
  '\u0100',
  '\ud800',
  5,
  null,
  undefined,
  [1, 2],
  {},
  Symbol('x'),
  Object.create(null),
];

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value);
}

/** Every case of Headers. */
export const headersCases: readonly WebCase[] = [
  ...inits.map(([title, init]): WebCase => [`new Headers of ${title}`, (web) => list(make(web, init()))]),
  [
    'new Headers of Headers',
    (web) =>
      list(
        make(
          web,
          make(web, [
            ['A', '1'],
            ['Set-Cookie', 'x'],
            ['set-cookie', 'y'],
          ]),
        ),
      ),
  ],
  [
    'new Headers of Headers is a copy',
    (web) => {
      const first = make(web, { a: '1' });
      const second = make(web, first);
      second.append('a', '2');
      first.set('b', '3');
      return [list(first), list(second)];
    },
  ],
  [
    'new Headers of Headers with another iterator',
    (web) => {
      const first = make(web, { a: '1' });
      Object.defineProperty(first, Symbol.iterator, { value: () => [['b', '2']][Symbol.iterator]() });
      return list(make(web, first));
    },
  ],
  [
    'new Headers of those of a Response',
    (web) => list(make(web, new web.Response('x', { headers: { b: '1' } }).headers)),
  ],
  [
    'new Headers of those of a Request',
    (web) =>
      list(
        make(
          web,
          web.receive({
            headers: [
              ['B', '1'],
              ['b', '2'],
            ],
          }).headers,
        ),
      ),
  ],
  ['Headers without new', (web) => (web.Headers as unknown as () => unknown)()],
  ...['get', 'has', 'delete'].flatMap((member) => [
    ...names.map(
      (name): WebCase => [
        `${member} of ${show(name)}`,
        (web) => {
          const headers = make(web, { a: '1', 5: 'five', null: 'n', undefined: 'u', true: 't' });
          return [loose(headers)[member](name), list(headers)];
        },
      ],
    ),
    [`${member} of nothing`, (web) => loose(make(web))[member]()] satisfies WebCase,
    [
      `${member} with an argument too many`,
      (web) => loose(make(web, { a: '1' }))[member]('a', 'b', 'c'),
    ] satisfies WebCase,
  ]),
  ...['append', 'set'].flatMap((member) => [
    ...names.map(
      (name): WebCase => [
        `${member} of the name ${show(name)}`,
        (web) => {
          const headers = make(web, { a: '1' });
          return [loose(headers)[member](name, 'x'), list(headers)];
        },
      ],
    ),
    ...values.map(
      (value): WebCase => [
        `${member} of the value ${show(value)}`,
        (web) => {
          const headers = make(web, { a: '1' });
          return [loose(headers)[member]('a', value), list(headers)];
        },
      ],
    ),
    [`${member} of nothing`, (web) => loose(make(web))[member]()] satisfies WebCase,
    [`${member} of a name alone`, (web) => loose(make(web))[member]('a')] satisfies WebCase,
    [
      `${member} that fails changes nothing`,
      (web) => {
        const headers = make(web, { a: '1' });
        return [
          attempt(() => loose(headers)[member]('a', 'x\ny')),
          attempt(() => loose(headers)[member]('b c', 'x')),
          list(headers),
        ];
      },
    ] satisfies WebCase,
  ]),
  [
    'every character of a name',
    (web) =>
      Array.from({ length: 256 }, (_, code) =>
        attempt(() => list(make(web, [[`a${String.fromCharCode(code)}`, 'x']]))),
      ),
  ],
  [
    'every character of a value',
    (web) =>
      Array.from({ length: 258 }, (_, code) =>
        attempt(() => list(make(web, [['a', `x${String.fromCharCode(code)}y`]]))),
      ),
  ],
  [
    'every character at the end of a value',
    (web) =>
      Array.from({ length: 258 }, (_, code) =>
        attempt(() => list(make(web, [['a', `x${String.fromCharCode(code)}`]]))),
      ),
  ],
  [
    'several values of one name',
    (web) => {
      const headers = make(web);
      for (const value of ['1', '', ' 2 ', '3']) headers.append('X-A', value);
      return [headers.get('x-a'), list(headers)];
    },
  ],
  [
    'several cookies of a request',
    (web) => {
      const headers = make(web, [
        ['Cookie', 'a=1'],
        ['cookie', 'b=2'],
      ]);
      return [headers.get('cookie'), list(headers)];
    },
  ],
  [
    'several cookies of a response',
    (web) => {
      const headers = make(web, [
        ['Set-Cookie', 'b=2'],
        ['x', '1'],
        ['set-cookie', 'a=1, c'],
        ['SET-COOKIE', ''],
      ]);
      return [
        headers.get('set-cookie'),
        headers.getSetCookie(),
        headers.has('Set-cookie'),
        list(headers),
        [...headers.keys()],
        [...headers.values()],
      ];
    },
  ],
  [
    'set of a cookie replaces all',
    (web) => {
      const headers = make(web, [
        ['Set-Cookie', 'b=2'],
        ['set-cookie', 'a=1'],
      ]);
      headers.set('SET-COOKIE', 'c=3');
      return [headers.getSetCookie(), list(headers)];
    },
  ],
  [
    'delete of cookies',
    (web) => {
      const headers = make(web, [
        ['Set-Cookie', 'b=2'],
        ['a', '1'],
        ['set-cookie', 'a=1'],
      ]);
      headers.delete('set-cookie');
      headers.append('set-cookie', 'd=4');
      return [headers.get('set-cookie'), headers.getSetCookie(), list(headers)];
    },
  ],
  ['getSetCookie without any', (web) => make(web, { a: '1' }).getSetCookie()],
  [
    "getSetCookie gives a list of the caller's own",
    (web) => {
      const headers = make(web, [['set-cookie', 'a=1']]);
      headers.getSetCookie().push('b=2');
      return headers.getSetCookie();
    },
  ],
  [
    'order is by lower-case name',
    (web) => list(make(web, { Z: '1', a: '2', B: '3', 'a-b': '4', _a: '5', '!': '6', '~': '7', aa: '8' })),
  ],
  [
    'keys, values and entries',
    (web) => {
      const headers = make(web, { B: '2', a: '1' });
      return [[...headers.keys()], [...headers.values()], [...headers.entries()]];
    },
  ],
  [
    'the iterator is entries',
    (web) => web.Headers.prototype[Symbol.iterator] === web.Headers.prototype.entries,
  ],
  [
    'an iterator and what it is',
    (web) => {
      const iterator = make(web, { a: '1' }).entries();
      const prototype = Object.getPrototypeOf(iterator);
      return [
        Object.prototype.toString.call(iterator),
        iterator[Symbol.iterator]() === iterator,
        Object.getPrototypeOf(prototype) ===
          Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
        Reflect.ownKeys(prototype).map(String).sort(),
        iterator.next(),
        iterator.next(),
        iterator.next(),
      ];
    },
  ],
  [
    'next of something else',
    (web) =>
      make(web)
        .keys()
        .next.call({} as never),
  ],
  [
    "entries are the caller's own",
    (web) => {
      const headers = make(web, { a: '1' });
      for (const entry of headers) entry[1] = 'changed';
      return list(headers);
    },
  ],
  ...(['append', 'set', 'delete'] as const).map(
    (change): WebCase => [
      `${change} while iterating`,
      (web) => {
        const headers = make(web, { b: '1', d: '2', f: '3' });
        const seen: unknown[] = [];
        for (const [name, value] of headers) {
          seen.push([name, value]);
          if (seen.length > 20) break;
          if (name === 'd') loose(headers)[change](change === 'delete' ? 'b' : 'a', 'new');
          if (name === 'f') loose(headers)[change](change === 'delete' ? 'd' : 'e', 'new');
        }
        return [seen, list(headers)];
      },
    ],
  ),
  [
    'an iterator that has ended goes on where more came',
    (web) => {
      const headers = make(web, { a: '1' });
      const iterator = headers.keys();
      const seen = [iterator.next(), iterator.next()];
      headers.append('b', '2');
      return [...seen, iterator.next(), iterator.next()];
    },
  ],
  [
    'forEach gives value, name, headers and this',
    (web) => {
      const headers = make(web, { b: '2', a: '1' });
      const seen: unknown[] = [];
      const owner = { name: 'owner' };
      headers.forEach(function (this: unknown, ...given) {
        seen.push([given[0], given[1], given[2] === headers, given.length, this === owner]);
      }, owner);
      return seen;
    },
  ],
  [
    'forEach sees changes',
    (web) => {
      const headers = make(web, { b: '1', d: '2' });
      const seen: string[] = [];
      headers.forEach((_, name) => {
        seen.push(name);
        if (seen.length < 9) headers.set(name === 'b' ? 'a' : 'c', 'x');
      });
      return seen;
    },
  ],
  ['forEach of nothing', (web) => loose(make(web)).forEach()],
  ['forEach of no function', (web) => loose(make(web, { a: '1' })).forEach({})],
  [
    'forEach whose function throws',
    (web) =>
      make(web, { a: '1' }).forEach(() => {
        throw new RangeError('mine');
      }),
  ],
  ...['append', 'delete', 'get', 'getSetCookie', 'has', 'set', 'forEach', 'keys', 'values', 'entries'].map(
    (member): WebCase => [
      `${member} of something else`,
      (web) => loose(web.Headers.prototype)[member].call({}, 'a', 'b'),
    ],
  ),
  [
    'members: names, lengths, enumerability',
    (web) =>
      ['append', 'delete', 'get', 'getSetCookie', 'has', 'set', 'forEach', 'keys', 'values', 'entries'].map(
        (member) => {
          const { enumerable, configurable, writable, value } = Object.getOwnPropertyDescriptor(
            web.Headers.prototype,
            member,
          ) as PropertyDescriptor;
          return [member, enumerable, configurable, writable, value.name, value.length];
        },
      ),
  ],
  [
    'the class: name, length, tag, own keys of an object',
    (web) => [
      web.Headers.name,
      web.Headers.length,
      Object.prototype.toString.call(make(web)),
      Object.keys(make(web, { a: '1' })),
      JSON.stringify(make(web, { a: '1' })),
    ],
  ],
  [
    'for-in',
    (web) => {
      const seen: string[] = [];
      for (const key in make(web)) seen.push(key);
      return seen.sort();
    },
  ],
  [
    'inspected',
    (web) =>
      inspect(
        make(web, [
          ['B', '1'],
          ['a', '2'],
          ['b', '3'],
          ['Set-Cookie', 'x'],
          ['set-cookie', 'y'],
        ]),
      ),
  ],
  ['inspected inside an object', (web) => inspect({ headers: make(web, { 'Content-Type': 'x' }) })],
  [
    'extended',
    (web) => {
      class Own extends web.Headers {
        shout(name: string): string {
          return `own ${this.get(name)}`;
        }
      }
      const own = new Own({ a: '1' });
      return [
        own.shout('A'),
        own instanceof Own,
        own instanceof web.Headers,
        new web.Headers() instanceof Own,
        own.constructor === Own,
        list(make(web, own)),
      ];
    },
  ],
  [
    'instanceof of other things',
    (web) =>
      [null, undefined, 5, {}, [], new Map()].map((value) => (value as unknown) instanceof web.Headers),
  ],
  ['structuredClone', (web) => attempt(() => Object.keys(structuredClone(make(web)) as object).length)],
];
