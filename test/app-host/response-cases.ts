// Cases of the class Response: what it is made of, what it says, how its body is read.

import { inspect } from 'node:util';
import {
  attempt,
  attemptLater,
  isSame,
  nameError,
  streamOf,
  type WebCase,
  type WebClasses,
} from './web-classes.ts';

type Loose = Record<string, (...given: unknown[]) => unknown>;

const make = ({ Response }: WebClasses, body?: unknown, init?: unknown): Response =>
  new Response(body as string, init as ResponseInit);

const redirect = ({ Response }: WebClasses, ...given: unknown[]): Response =>
  (Response as unknown as Loose).redirect(...given) as Response;

/** What can be seen without reading. */
export function look(message: Response): unknown {
  const { status, statusText, ok, type, url, redirected, bodyUsed, body, headers } = message;
  return {
    status,
    statusText,
    ok,
    type,
    url,
    redirected,
    bodyUsed,
    body: body === null ? null : body.locked,
    headers: [...headers],
  };
}

const latin1 = (bytes: ArrayBuffer | Uint8Array): string =>
  Buffer.from(bytes as Uint8Array).toString('latin1');

/** The members that read a body, each told in plain values. */
export const readers: readonly (readonly [
  name: string,
  read: (message: Response | Request) => Promise<unknown>,
])[] = [
  ['text', (message) => message.text()],
  ['json', (message) => message.json()],
  [
    'arrayBuffer',
    async (message) => {
      const buffer = await message.arrayBuffer();
      return [Object.prototype.toString.call(buffer), buffer.byteLength, latin1(buffer)];
    },
  ],
  [
    'bytes',
    async (message) => {
      if (!('bytes' in message)) return 'not here';
      const bytes = await (message as { bytes(): Promise<Uint8Array> }).bytes();
      return [Object.prototype.toString.call(bytes), bytes.length, latin1(bytes)];
    },
  ],
  [
    'blob',
    async (message) => {
      const blob = (await message.blob()) as Blob;
      return [blob.type, blob.size, latin1(await blob.arrayBuffer())];
    },
  ],
  ['formData', async (message) => [...(await message.formData())]],
  [
    'body',
    async (message) => {
      if (message.body === null) return null;
      let text = '';
      for await (const chunk of message.body) text += latin1(chunk as Uint8Array);
      return text;
    },
  ],
];

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

const bodies: readonly (readonly [title: string, body: () => unknown])[] = [
  ['nothing', () => undefined],
  ['null', () => null],
  ['a text', () => '{"a":"é€😀"}'],
  ['an empty text', () => ''],
  ['a text with a byte order mark', () => '\ufeff{"a":1}'],
  ['a text with lone surrogates', () => '"\ud800x\udfff\ud800\udc00"'],
  ['a text that is no JSON', () => '{a}'],
  ['a JSON scalar', () => ' 5 '],
  ['a text of 200,000 characters', () => 'é'.repeat(200_000)],
  ['bytes', () => new TextEncoder().encode('[1]')],
  ['no bytes', () => bytes()],
  ['bytes with a byte order mark', () => bytes(0xef, 0xbb, 0xbf, 0x31)],
  ['bytes with two byte order marks', () => bytes(0x31, 0xef, 0xbb, 0xbf)],
  ['bytes of an UTF-16 mark', () => bytes(0xff, 0xfe, 0x31, 0)],
  [
    'bytes that are no UTF-8',
    () =>
      bytes(
        0x22,
        0xff,
        0xe2,
        0x82,
        0x22,
        0xf0,
        0x9f,
        0xc0,
        0xaf,
        0xed,
        0xa0,
        0x80,
        0xf4,
        0x90,
        0x80,
        0x80,
        0x22,
      ),
  ],
  ['a part of a buffer', () => Buffer.from('xx[1,2]yy').subarray(2, 7)],
  ['a buffer of the pool', () => Buffer.from('[3]')],
  ['a DataView', () => new DataView(new TextEncoder().encode('xx[4]').buffer, 2)],
  ['numbers of 16 bits', () => new Uint16Array([0x315b, 0x205d])],
  ['an ArrayBuffer', () => new TextEncoder().encode('[5]').buffer],
  ['an empty ArrayBuffer', () => new ArrayBuffer(0)],
  [
    'a detached ArrayBuffer',
    () => {
      const buffer = new ArrayBuffer(8);
      structuredClone(buffer, { transfer: [buffer] });
      return buffer;
    },
  ],
  [
    'bytes of a detached buffer',
    () => {
      const view = bytes(1, 2);
      structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
      return view;
    },
  ],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(4)],
  ['bytes of a SharedArrayBuffer', () => new Uint8Array(new SharedArrayBuffer(4))],
  ['a growing ArrayBuffer', () => Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }])],
  [
    'bytes of a growing ArrayBuffer',
    () => new Uint8Array(Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }])),
  ],
  ['a Blob', () => new Blob(['[6]'], { type: 'application/x-blob' })],
  ['a Blob without a type', () => new Blob(['[6]'])],
  ['search parameters', () => new URLSearchParams({ a: '1 2', b: 'é' })],
  ['a stream', () => streamOf(['[7', ']'])],
  ['a stream that fails', () => streamOf(['[7'], new RangeError('mine'))],
  [
    'a stream of texts',
    () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue('x');
          controller.close();
        },
      }),
  ],
  [
    'a locked stream',
    () => {
      const stream = streamOf(['x']);
      stream.getReader();
      return stream;
    },
  ],
  [
    'an async iterable',
    () =>
      (async function* () {
        yield bytes(0x31);
      })(),
  ],
  ['a number', () => 5],
  ['a boolean', () => false],
  ['an object', () => ({})],
  ['an array', () => [1, 2]],
  ['a symbol', () => Symbol('x')],
  ['an object without a prototype', () => Object.create(null)],
  [
    'an object that throws',
    () => ({
      toString() {
        throw new RangeError('mine');
      },
    }),
  ],
  ['a String object', () => new String('[8]')],
];

const inits: readonly (readonly [title: string, init: () => unknown])[] = [
  ['null', () => null],
  ['a number', () => 5],
  ['a text', () => 'x'],
  ['a function', () => Object.assign(() => {}, { status: 201 })],
  ['an array', () => []],
  ...[
    199,
    200,
    201,
    204,
    205,
    304,
    299,
    300,
    404,
    599,
    600,
    0,
    -1,
    101,
    200.5,
    Number.NaN,
    '201',
    'x',
    null,
    true,
    65_736,
    {},
    Symbol('x'),
    5n,
  ].map((status): readonly [string, () => unknown] => [`status ${inspect(status)}`, () => ({ status })]),
  ...[
    '',
    'OK',
    'x y\t',
    '\xe9',
    '\u0100',
    'a\nb',
    'a\rb',
    'a\0b',
    '\x7f',
    5,
    null,
    undefined,
    Symbol('x'),
    {},
  ].map((statusText): readonly [string, () => unknown] => [
    `status text ${JSON.stringify(String(statusText))}`,
    () => ({ statusText }),
  ]),
  ['headers', () => ({ headers: { 'X-A': '1', a: '2' } })],
  ['headers that are null', () => ({ headers: null })],
  ['headers that are none', () => ({ headers: { 'a b': '1' } })],
  ['headers that are a text', () => ({ headers: 'a: b' })],
  ["a type of one's own", () => ({ headers: [['Content-Type', 'text/x']] })],
  ['an empty type', () => ({ headers: { 'content-type': '' } })],
  ['unknown members', () => ({ url: 'http://x/', type: 'error', ok: false, redirected: true, body: 'x' })],
  ['inherited members', () => Object.create({ status: 202, statusText: 'inherited', headers: { a: '1' } })],
  [
    'getters',
    () => ({
      get status() {
        return 203;
      },
      get headers() {
        return { a: '1' };
      },
    }),
  ],
  [
    'a getter that throws',
    () => ({
      get status(): number {
        throw new SyntaxError('mine');
      },
    }),
  ],
];

const statics: readonly WebCase[] = [
  ['error()', (web) => look(web.Response.error())],
  ['error() has headers that cannot change', (web) => web.Response.error().headers.append('a', '1')],
  ...[undefined, 301, 302, 303, 307, 308, 200, 300, 304, '301', null, Number.NaN].map(
    (status): WebCase => [
      `redirect with ${inspect(status)}`,
      (web) => look(redirect(web, 'http://a/b c', status)),
    ],
  ),
  ...['', '/x', 'x', 'http://', 'http://a/\u20ac?\u20ac#\u20ac'].map(
    (url): WebCase => [`redirect to ${JSON.stringify(url)}`, (web) => look(redirect(web, url))],
  ),
  ['redirect to a URL', (web) => look(redirect(web, new URL('http://a/b')))],
  ['redirect to nothing', (web) => (web.Response as unknown as Loose).redirect()],
  [
    'redirect has headers that cannot change',
    (web) => redirect(web, 'http://a/').headers.set('location', 'x'),
  ],
  ...([{ a: 1 }, 'text', 5, null, [undefined], Number.NaN, new Date(0), '\ud800'] as unknown[]).map(
    (data): WebCase => [
      `Response.json of ${inspect(data)}`,
      async (web) => {
        const response = web.Response.json(data);
        return [look(response), await response.text()];
      },
    ],
  ),
  ...([undefined, () => {}, Symbol('x'), 5n] as unknown[]).map(
    (data): WebCase => [`Response.json of ${inspect(data)}`, (web) => look(web.Response.json(data))],
  ),
  ['Response.json of no value', (web) => (web.Response as unknown as Loose).json()],
  [
    'json of a circle',
    (web) => {
      const circle: unknown[] = [];
      circle.push(circle);
      return web.Response.json(circle);
    },
  ],
  [
    'json of what throws',
    (web) =>
      web.Response.json({
        toJSON() {
          throw new RangeError('mine');
        },
      }),
  ],
  [
    'json without its class',
    (web) => {
      const { json } = web.Response;
      return look(json({}));
    },
  ],
  ...inits.map(
    ([title, init]): WebCase => [
      `Response.json with ${title}`,
      (web) => look((web.Response as unknown as Loose).json({}, init()) as Response),
    ],
  ),
  [
    'static members',
    (web) =>
      ['error', 'json', 'redirect'].map((name) => {
        const value = (web.Response as unknown as Loose)[name];
        return [name, value.name, value.length];
      }),
  ],
];

/** Texts and bytes that are read twice, cloned, streamed, after and before each other. */
const uses: readonly WebCase[] = (['a text', 'bytes', 'a stream', 'null', 'an empty text'] as const).flatMap(
  (title) => {
    const body = bodies.find(([name]) => name === title)?.[1] as () => unknown;
    const twice = readers.flatMap(([first, readFirst]) =>
      readers.map(
        ([second, readSecond]): WebCase => [
          `${title}: ${first}, then ${second}`,
          async (web) => {
            const response = make(web, body());
            const one = attemptLater(() => readFirst(response));
            const early = [response.bodyUsed, response.body?.locked];
            await one;
            const between = [response.bodyUsed, response.body?.locked];
            return [
              await one,
              early,
              between,
              await attemptLater(() => readSecond(response)),
              look(response),
            ];
          },
        ],
      ),
    );
    return [
      ...twice,
      [
        `${title}: all at once`,
        async (web) => {
          const response = make(web, body());
          return Promise.all(readers.slice(0, 5).map(([, read]) => attemptLater(() => read(response))));
        },
      ] satisfies WebCase,
      [
        `${title}: cloned`,
        async (web) => {
          const response = make(web, body(), { status: 201, statusText: 'x', headers: { a: '1' } });
          const clone = response.clone();
          clone.headers.set('a', '2');
          clone.headers.append('b', '3');
          return [
            clone === response,
            look(clone),
            look(response),
            await clone.text(),
            response.bodyUsed,
            await response.text(),
            clone.bodyUsed,
          ];
        },
      ] satisfies WebCase,
      [
        `${title}: a clone of a clone`,
        async (web) => {
          const response = make(web, body());
          const clone = response.clone().clone();
          return [await clone.text(), await response.text(), look(clone)];
        },
      ] satisfies WebCase,
      [
        `${title}: cloned after its body was touched`,
        async (web) => {
          const response = make(web, body());
          const same = isSame(() => response.body);
          const clone = response.clone();
          return [same, await clone.text(), await response.text()];
        },
      ] satisfies WebCase,
      [
        `${title}: cloned after it was read`,
        async (web) => {
          const response = make(web, body());
          await response.text();
          return attempt(() => look(response.clone()));
        },
      ] satisfies WebCase,
      [
        `${title}: cloned while a reader has it`,
        (web) => {
          const response = make(web, body());
          response.body?.getReader();
          return [look(response), attempt(() => look(response.clone()))];
        },
      ] satisfies WebCase,
      [
        `${title}: locked, then read`,
        async (web) => {
          const response = make(web, body());
          const reader = response.body?.getReader();
          const outcome = await attemptLater(() => response.text());
          reader?.releaseLock();
          return [outcome, look(response), await attemptLater(() => response.text())];
        },
      ] satisfies WebCase,
      [
        `${title}: cancelled, then read`,
        async (web) => {
          const response = make(web, body());
          await response.body?.cancel();
          return [look(response), await attemptLater(() => response.text())];
        },
      ] satisfies WebCase,
      [
        `${title}: the body of another Response`,
        async (web) => {
          const response = make(web, body(), { headers: { a: '1' } });
          const other = make(web, response.body, response);
          return [look(other), await other.text(), response.bodyUsed];
        },
      ] satisfies WebCase,
    ];
  },
);

/** Every case of Response. */
export const responseCases: readonly WebCase[] = [
  ...bodies.flatMap(([title, body]): WebCase[] => [
    [`new Response of ${title}`, (web) => look(make(web, body()))],
    ...readers.map(
      ([name, read]): WebCase => [`${name} of ${title}`, async (web) => read(make(web, body()))],
    ),
    [`status 204 with ${title}`, (web) => look(make(web, body(), { status: 204 }))],
    [
      `an odd status with ${title}`,
      async (web) => {
        const response = make(web, body(), { status: '201' });
        return [look(response), await response.text()];
      },
    ],
  ]),
  ...inits.flatMap(([title, init]): WebCase[] => [
    [`a text with ${title}`, (web) => look(make(web, 'x', init()))],
    [`no body with ${title}`, (web) => look(make(web, null, init()))],
  ]),
  ...statics,
  ...uses,
  ['no arguments', (web) => look(new web.Response())],
  ['Response without new', (web) => (web.Response as unknown as () => unknown)()],
  [
    'bytes that change after the Response was made',
    async (web) => {
      const changing = Buffer.from('before');
      const response = make(web, changing);
      changing.fill('x');
      return response.text();
    },
  ],
  [
    "what was read is the reader's own",
    async (web) => {
      const response = make(web, 'before');
      const clone = response.clone();
      new Uint8Array(await response.arrayBuffer()).fill(0);
      return clone.text();
    },
  ],
  [
    "bytes that were read are the reader's own",
    async (web) => {
      const response = make(web, new TextEncoder().encode('before'));
      const clone = response.clone();
      new Uint8Array(await response.arrayBuffer()).fill(0);
      return clone.text();
    },
  ],
  [
    'a type that changes before the blob',
    async (web) => {
      const response = make(web, 'x');
      response.headers.set('Content-Type', 'text/changed');
      return (await response.blob()).type;
    },
  ],
  [
    'a type that changes after the body was touched',
    async (web) => {
      const response = make(web, 'x');
      void response.body;
      response.headers.delete('Content-Type');
      return (await response.blob()).type;
    },
  ],
  [
    'a form',
    async (web) => [
      ...(await make(web, 'a=1&b=%20', {
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      }).formData()),
    ],
  ],
  [
    'a multipart form',
    async (web) => {
      const form = new FormData();
      form.append('a', '1');
      form.append('a', '2');
      return [...(await make(web, form).formData())];
    },
  ],
  [
    'the same headers every time',
    (web) => {
      const response = make(web, 'x');
      return isSame(() => response.headers);
    },
  ],
  [
    'headers may change',
    (web) => {
      const response = make(web, 'x');
      response.headers.append('A', '1');
      return look(response);
    },
  ],
  [
    'members cannot be assigned',
    (web) => {
      const response = make(web, 'x');
      return ['status', 'ok', 'headers', 'body', 'url'].map((name) => Reflect.set(response, name, 'x'));
    },
  ],
  ...['status', 'statusText', 'ok', 'type', 'url', 'redirected', 'headers', 'body', 'bodyUsed'].map(
    (name): WebCase => [
      `${name} of something else`,
      (web) => [
        attempt(() => Reflect.get(web.Response.prototype, name, {})),
        attempt(() => Reflect.get(web.Response.prototype, name)),
      ],
    ],
  ),
  ...['text', 'json', 'arrayBuffer', 'blob', 'formData', 'clone'].map(
    (name): WebCase => [
      `${name}() of something else`,
      (web) => (web.Response.prototype as unknown as Loose)[name].call({}),
    ],
  ),
  [
    'members: names, lengths, enumerability',
    (web) =>
      [
        'status',
        'statusText',
        'ok',
        'type',
        'url',
        'redirected',
        'headers',
        'body',
        'bodyUsed',
        'text',
        'json',
        'arrayBuffer',
        'bytes',
        'blob',
        'formData',
        'clone',
        'constructor',
      ].map((name) => {
        const own = Object.getOwnPropertyDescriptor(web.Response.prototype, name);
        return own === undefined
          ? [name]
          : [
              name,
              own.enumerable,
              own.configurable,
              own.writable,
              typeof own.get,
              typeof own.set,
              (own.value as { length: number } | undefined)?.length,
            ];
      }),
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
    'the class: name, length, tag, own keys of an object',
    (web) => [
      web.Response.name,
      web.Response.length,
      Object.prototype.toString.call(make(web)),
      Object.keys(make(web, 'x')),
      JSON.stringify(make(web, 'x')),
      make(web).constructor === web.Response,
    ],
  ],
  [
    'instanceof',
    (web) =>
      [
        make(web),
        web.Response.error(),
        web.Response.json({}),
        redirect(web, 'http://a/'),
        make(web, 'x').clone(),
        make(web, streamOf(['x'])).clone(),
        null,
        5,
        {},
        web.Response.prototype,
      ].map((value) => (value as unknown) instanceof web.Response),
  ],
  [
    'extended',
    async (web) => {
      class Own extends web.Response {
        readonly extra = 'extra';
        constructor(text: string) {
          super(text, { status: 202 });
        }
        get extraStatus(): number {
          return this.status + 1;
        }
      }
      const own = new Own('x');
      return [
        own.extra,
        own.extraStatus,
        own.status,
        own instanceof Own,
        own instanceof web.Response,
        make(web) instanceof Own,
        own.clone() instanceof Own,
        await own.text(),
      ];
    },
  ],
  [
    'inspected',
    (web) => [
      inspect(make(web, 'x', { status: 404, headers: { a: '1' } })),
      inspect(make(web)),
      inspect({ response: make(web, 'x') }),
    ],
  ],
  ['structuredClone', (web) => attempt(() => Object.keys(structuredClone(make(web, 'x')) as object).length)],
  [
    'unhandled by nobody',
    async (web) =>
      make(web, streamOf([], new RangeError('mine')))
        .text()
        .catch(nameError),
  ],
];
