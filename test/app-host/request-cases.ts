// Cases of the Requests that an instance gets: what they say, how their bodies are read, what can be made of them.

import { inspect } from 'node:util';
import { readers } from './response-cases.ts';
import {
  attempt,
  attemptLater,
  isSame,
  type RequestParts,
  type WebCase,
  type WebClasses,
} from './web-classes.ts';

type Loose = Record<string, (...given: unknown[]) => unknown>;

const constants = [
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'isHistoryNavigation',
  'isReloadNavigation',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const;

function look(request: Request): unknown {
  const { method, url, headers, body, bodyUsed, signal } = request;
  return {
    method,
    url,
    headers: [...headers],
    body: body === null ? null : body.locked,
    bodyUsed,
    aborted: signal.aborted,
  };
}

const form = {
  method: 'POST',
  headers: [['Content-Type', 'application/x-www-form-urlencoded']],
  body: ['a=1&', 'b=%20'],
} satisfies RequestParts;
const multipart = {
  method: 'POST',
  headers: [['Content-Type', 'multipart/form-data; boundary=b']],
  body: ['--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n', '1\r\n--b--\r\n'],
} satisfies RequestParts;
const json = {
  method: 'POST',
  headers: [['Content-Type', 'application/json']],
  body: ['{"a":', '"\xc3\xa9"}'],
} satisfies RequestParts;

const received: readonly (readonly [title: string, parts: RequestParts])[] = [
  ['GET', {}],
  ['HEAD', { method: 'HEAD' }],
  ['POST without a body', { method: 'POST' }],
  ['JSON', json],
  ['a form', form],
  ['a multipart form', multipart],
  [
    'a multipart form that is cut off',
    { ...multipart, body: ['--b\r\nContent-Disposition: form-data; name="a"'] },
  ],
  ['a body of no bytes', { method: 'PUT', body: [] }],
  ['a body in many chunks', { method: 'PATCH', body: Array.from({ length: 2000 }, (_, i) => `${i},`) }],
  ['a byte order mark', { method: 'POST', body: ['\xef\xbb', '\xbf5'] }],
  ['bytes that are no UTF-8', { method: 'POST', body: ['"\xff\xe2', '\x82"'] }],
  ['a body that fails', { method: 'POST', body: ['{"a":'], failure: new RangeError('cut') }],
];

const targets = [
  '/',
  '/a/b?c=d&e',
  '/a%20b',
  '/%zz',
  '//x',
  '/a//b/',
  '/./a',
  '/a/../b',
  '/a/%2e%2E/b',
  '/a\\b',
  "/'?'",
  '/"<>`{}|^',
  '/?"<>`{}|^',
  '/?',
  '/??',
  '/a;b=c',
  '/\xe9?\xe9',
  '/...',
  '/a.b',
  '/.well-known/x',
  '/@:!$&()*+,=~_-',
];

/** What an application makes of the Request that it got. */
const derived: readonly (readonly [title: string, derive: (request: Request, web: WebClasses) => unknown])[] =
  [
    ['new Request(request)', (request, web) => new web.Request(request)],
    ['new Request(request, {})', (request, web) => new web.Request(request, {})],
    [
      'new Request(request, null)',
      (request, web) => new (web.Request as unknown as new (...given: unknown[]) => Request)(request, null),
    ],
    ['new Request(request, headers)', (request, web) => new web.Request(request, { headers: { b: '2' } })],
    ['new Request(request, method)', (request, web) => new web.Request(request, { method: 'PUT' })],
    ['new Request(request, GET)', (request, web) => new web.Request(request, { method: 'GET' })],
    [
      'new Request(request, body)',
      (request, web) => new web.Request(request, { method: 'POST', body: 'other' }),
    ],
    ['new Request(request, null body)', (request, web) => new web.Request(request, { body: null })],
    [
      'new Request(request, signal)',
      (request, web) => new web.Request(request, { signal: AbortSignal.abort() }),
    ],
    ['new Request(url, request)', (request, web) => new web.Request('http://other/x', request)],
    [
      'new Request(url, {...})',
      (request, web) =>
        new web.Request('http://other/x', {
          method: request.method,
          headers: request.headers,
          body: request.body,
          duplex: 'half',
        } as RequestInit),
    ],
    ['new Request(request, invalid)', (request, web) => new web.Request(request, { method: 'a b' })],
    ['clone()', (request) => request.clone()],
    ['clone().clone()', (request) => request.clone().clone()],
  ];

/** What happened to the Request before. */
const befores: readonly (readonly [title: string, before: (request: Request) => unknown])[] = [
  ['untouched', () => {}],
  [
    'its headers changed',
    (request) => {
      request.headers.set('X-A', 'changed');
      request.headers.append('x-b', '2');
    },
  ],
  ['its body touched', (request) => request.body],
  ['locked', (request) => request.body?.getReader()],
  ['read', (request) => attemptLater(() => request.text())],
  ['being read', (request) => void attemptLater(() => request.text())],
  [
    'read by its stream',
    (request) =>
      attemptLater(async () => {
        for await (const chunk of request.body ?? []) void chunk;
      }),
  ],
  ['cloned before', (request) => void request.clone()],
];

/** Every case of Request. */
export const requestCases: readonly WebCase[] = [
  ...received.flatMap(([title, parts]): WebCase[] => [
    [`${title}: what it says`, (web) => look(web.receive(parts))],
    [
      `${title}: constant members`,
      (web) => {
        const request = web.receive(parts);
        return constants.map((name) => [name, Reflect.get(request, name)]);
      },
    ],
    ...readers.map(
      ([name, read]): WebCase => [
        `${title}: ${name}`,
        async (web) => {
          const request = web.receive(parts);
          return [await attemptLater(() => read(request)), look(request)];
        },
      ],
    ),
  ]),
  ...readers.flatMap(([first, readFirst]) =>
    readers.flatMap(([second, readSecond]) =>
      [json, {}].map(
        (parts): WebCase => [
          `${first}, then ${second}, of ${'body' in parts ? 'JSON' : 'nothing'}`,
          async (web) => {
            const request = web.receive(parts);
            const one = attemptLater(() => readFirst(request));
            const early = [request.bodyUsed, request.body?.locked];
            return [
              await one,
              early,
              request.bodyUsed,
              await attemptLater(() => readSecond(request)),
              look(request),
            ];
          },
        ],
      ),
    ),
  ),
  ...befores.flatMap(([before, prepare]) =>
    derived.flatMap(([title, derive]) =>
      [json, {}].map(
        (parts): WebCase => [
          `${title} of ${'body' in parts ? 'JSON' : 'GET'}, ${before}`,
          async (web) => {
            const request = web.receive({
              ...parts,
              headers: [...((parts as RequestParts).headers ?? []), ['X-A', '1']],
            });
            await prepare(request);
            const made = attempt(() => derive(request, web)) as Request;
            if (Array.isArray(made)) return [made, look(request)];
            const seen = [
              look(made),
              look(request),
              made instanceof web.Request,
              made.constructor === globalThis.Request,
            ];
            return [...seen, await attemptLater(() => made.text()), await attemptLater(() => request.text())];
          },
        ],
      ),
    ),
  ),
  ...targets.map((target): WebCase => [`url of ${target}`, (web) => web.receive({ target }).url]),
  ...['GET', 'get', 'Post', 'patch', 'PATCH', 'PROPFIND', 'propfind', 'TRACE', 'track', 'CONNECT'].map(
    (method): WebCase => [`method ${method}`, (web) => web.receive({ method }).method],
  ),
  [
    'headers: repeated, in their order, live',
    (web) => {
      const { headers } = web.receive({
        headers: [
          ['B', '2'],
          ['a', '1'],
          ['b', '3'],
          ['Cookie', 'x=1'],
          ['cookie', 'y=2'],
        ],
      });
      headers.delete('a');
      headers.append('c', '4');
      return [[...headers], headers.get('cookie'), headers instanceof web.Headers];
    },
  ],
  [
    'the same headers and signal every time',
    (web) => {
      const request = web.receive(json);
      return [isSame(() => request.headers), isSame(() => request.signal), isSame(() => request.body)];
    },
  ],
  [
    'members cannot be assigned',
    (web) => {
      const request = web.receive();
      return ['method', 'url', 'headers', 'body', 'signal', 'cache'].map((name) =>
        Reflect.set(request, name, 'x'),
      );
    },
  ],
  ...['method', 'url', 'headers', 'signal', 'body', 'bodyUsed', ...constants].map(
    (name): WebCase => [
      `${name} of something else`,
      (web) => attempt(() => Reflect.get(Object.getPrototypeOf(web.receive()), name, {})),
    ],
  ),
  ...['text', 'json', 'arrayBuffer', 'blob', 'formData', 'clone'].map(
    (name): WebCase => [
      `${name}() of something else`,
      (web) => (Object.getPrototypeOf(web.receive()) as Loose)[name].call({}),
    ],
  ),
  [
    'tag, own keys, constructor, instanceof',
    (web) => {
      const request = web.receive(json);
      return [
        Object.prototype.toString.call(request),
        Object.keys(request),
        JSON.stringify(request),
        request.constructor === globalThis.Request,
        request instanceof web.Request,
        {} instanceof web.Request,
      ];
    },
  ],
  [
    'for-in',
    (web) => {
      const seen: string[] = [];
      for (const key in web.receive()) seen.push(key);
      return seen.sort();
    },
  ],
  [
    'inspected',
    (web) => [inspect(web.receive({ headers: [['A', '1']] })), inspect({ request: web.receive() })],
  ],
  ['structuredClone', (web) => attempt(() => Object.keys(structuredClone(web.receive()) as object).length)],
  ['the class: name, length', (web) => [web.Request.name, web.Request.length]],
  ['Request without new', (web) => (web.Request as unknown as () => unknown)()],
  ['new Request of nothing', (web) => new (web.Request as unknown as new () => unknown)()],
  [
    'new Request of a URL',
    (web) =>
      look(
        new web.Request('http://x/y', { method: 'POST', body: 'z', headers: new web.Headers({ a: '1' }) }),
      ),
  ],
  ['new Request of a path', (web) => new web.Request('/y')],
  [
    'extended',
    (web) => {
      class Own extends web.Request {
        readonly extra = 'extra';
      }
      const own = new Own(web.receive(json));
      return [
        own.extra,
        own.method,
        own instanceof Own,
        own instanceof web.Request,
        web.receive() instanceof Own,
      ];
    },
  ],
  [
    "a clone of a Request of the application's",
    async (web) => {
      const request = new web.Request('http://x/', { method: 'POST', body: 'x' });
      const clone = request.clone();
      return [
        await clone.text(),
        await request.text(),
        clone instanceof web.Request,
        clone.constructor === globalThis.Request,
      ];
    },
  ],
];
