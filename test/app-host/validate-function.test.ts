// The validator and gateway functions: each breaks one rule, which is named, and no other.

import { Hono } from 'hono';
import { beforeAll, describe, expect, test } from 'vitest';
import type { GatewayFunction } from '../../src/app-host/gateway-function.ts';
import { installLeanGlobals } from '../../src/app-host/install-lean-globals.ts';
import { type Checked, checkApplication } from './check-in-process.ts';

beforeAll(installLeanGlobals);

const encode = (text: string) => new TextEncoder().encode(text);

function check(handle: (...given: Parameters<GatewayFunction>) => unknown, timeoutMs?: number) {
  return checkApplication({ interface: 'fetch', handle: handle as GatewayFunction }, timeoutMs);
}

/** A stream of these chunks, which then ends, fails or does neither. */
function stream(chunks: unknown[], end: 'close' | 'fail' | 'stay' = 'close'): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      if (chunks.length > 0) return controller.enqueue(chunks.shift() as Uint8Array);
      if (end === 'close') return controller.close();
      if (end === 'fail') return controller.error(new Error('the disk is gone'));
      return new Promise<void>(() => {});
    },
  });
}

/** A class that is none of the platform's. */
function foreign(members: Record<string, unknown>): unknown {
  return { status: 200, headers: new Headers(), body: null, bodyUsed: false, ...members };
}

/** Tells the request whose client leaves at once from the others: it is the first GET behind the POSTs. */
function createRecogniser(): (request: Request) => boolean {
  let posts = 0;
  return ({ method }) => {
    if (method === 'POST') posts++;
    const isFirst = method === 'GET' && posts > 0;
    if (isFirst) posts = Number.NEGATIVE_INFINITY;
    return isFirst;
  };
}

const shared = () => new Response('shared');

interface Case {
  readonly name: string;
  readonly rule: string;
  /** What the report says. */
  readonly says: RegExp;
  readonly create: () => (...given: Parameters<GatewayFunction>) => unknown;
  readonly timeoutMs?: number;
}

const broken: Case[] = [
  {
    name: 'reads the body of a request twice',
    rule: 'G14',
    says: /a body was read twice: TypeError: the body was already read/,
    create: () => async (request) => new Response((await request.text()) + (await request.text())),
  },
  {
    name: 'gives waitUntil a function',
    rule: 'G18',
    says: /waitUntil was given a function/,
    create: () => (_, context) => {
      context.waitUntil((() => {}) as unknown as Promise<void>);
      return new Response();
    },
  },
  {
    name: 'gives waitUntil work that fails',
    rule: 'G18',
    says: /work given to waitUntil failed: Error: too bad/,
    create: () => (_, context) => {
      context.waitUntil(Promise.reject(new Error('too bad')));
      return new Response();
    },
  },
  { name: 'returns a text', rule: 'G21', says: /returned a string/, create: () => () => 'hello' },
  { name: 'returns nothing', rule: 'G21', says: /returned undefined/, create: () => () => undefined },
  {
    name: 'promises an object',
    rule: 'G21',
    says: /an object of Map/,
    create: () => async () => new Map(),
  },
  {
    name: 'returns a status that is none',
    rule: 'G21',
    says: /status 0/,
    create: () => () => Response.error(),
  },
  {
    name: 'has a body that is no web stream',
    rule: 'G21',
    says: /no web stream/,
    create: () => () => foreign({ body: 'text' }),
  },
  {
    name: 'returns a proxy that throws at every touch',
    rule: 'G21',
    says: /cannot be looked at: Error: no touching/,
    create: () => () =>
      new Proxy(
        {},
        {
          get(_, name) {
            if (name === 'then') return undefined;
            throw new Error('no touching');
          },
        },
      ),
  },
  {
    name: 'streams texts',
    rule: 'G22',
    says: /not a Uint8Array/,
    create: () => () => new Response(stream(['text'])),
  },
  {
    name: 'returns one Response again and again',
    rule: 'G25',
    says: /returned before/,
    create: () => {
      const response = shared();
      return () => response;
    },
  },
  {
    name: 'reads the body of what it returns',
    rule: 'G25',
    says: /already read/,
    create: () => async () => {
      const response = shared();
      await response.text();
      return response;
    },
  },
  {
    name: 'keeps a reader of the body that it returns',
    rule: 'G25',
    says: /locked/,
    create: () => () => {
      const response = new Response(stream([encode('x')]));
      response.body?.getReader();
      return response;
    },
  },
  {
    name: 'changes headers afterwards',
    rule: 'G25',
    says: /changed after/,
    create: () => () => {
      const response = shared();
      setTimeout(() => response.headers.set('X-Late', '1'), 1);
      return response;
    },
  },
  ...(
    [
      ['declares too few bytes', 'hello', '4', /declares 4 bytes, and its body has 5/],
      ['declares too many bytes', 'hello', '6', /declares 6 bytes, and its body has 5/],
      ['declares bytes of no body', null, '5', /declares 5 bytes, and its body has 0/],
      ['declares a length that is no number', 'hello', 'five', /"five", which is no number/],
    ] as const
  ).map(([name, body, length, says]) => ({
    name,
    rule: 'G27',
    says,
    create: () => () => new Response(body, { headers: { 'Content-Length': length } }),
  })),
  ...(['2', '9'] as const).map((length) => ({
    name: `declares ${length} bytes of a stream of 5`,
    rule: 'G27',
    says: /declared bytes/,
    create: () => () => new Response(stream([encode('hello')]), { headers: { 'Content-Length': length } }),
  })),
  {
    name: 'has a field that Headers would refuse',
    rule: 'G28',
    says: /"a b" is none that Headers allow/,
    create: () => () => foreign({ headers: new Map([['a b', 'c']]) }),
  },
  {
    name: 'throws',
    rule: 'G31',
    says: /the function failed: Error: no database \(at .*validate-function\.test\.ts:\d+:\d+\)/,
    create: () => () => {
      throw new Error('no database');
    },
  },
  {
    name: 'rejects for one method',
    rule: 'G31',
    says: /the function failed: string not today/,
    create: () => (request) =>
      request.method === 'OPTIONS' ? Promise.reject('not today') : new Response('x'),
  },
  {
    name: 'has a body that fails',
    rule: 'G32',
    says: /the body failed: Error: the disk is gone/,
    create: () => () => new Response(stream([encode('hello')], 'fail')),
  },
  {
    name: 'keeps what belongs to a request in a variable of the module',
    rule: 'G39',
    says: /another request of the same moment/,
    create: () => {
      let latest = '';
      return async (request) => {
        latest = request.url;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return new Response(latest);
      };
    },
  },
  {
    name: 'defines a property on its Response',
    rule: 'G47',
    says: /status was defined on a single Response/,
    create: () => () => Object.defineProperty(new Response('x'), 'status', { value: 404 }),
  },
  {
    name: 'never settles',
    rule: 'G50',
    says: /not settled in time/,
    create: () => () => new Promise(() => {}),
    timeoutMs: 100,
  },
  {
    name: 'has a body that never ends',
    rule: 'G50',
    says: /did not end in time/,
    create: () => () => new Response(stream([encode('hello')], 'stay')),
    timeoutMs: 100,
  },
];

const summarise = ({ broken: rules, findings }: Checked) => ({
  rules,
  says: findings.filter(({ level }) => level !== 'advice').map(({ detail }) => detail),
});

describe('a gateway function is told which rule it breaks when it', () => {
  test.each(broken)('$rule: $name', async ({ rule, says, create, timeoutMs }) => {
    const found = summarise(await check(create(), timeoutMs));
    expect(found.rules).toEqual([rule]);
    expect(found.says.join('\n')).toMatch(says);
  });
});

const advised: Case[] = [
  {
    name: 'sets fields of the connection',
    rule: 'G26',
    says: /connection is left out/,
    create: () => () => new Response('x', { headers: { Connection: 'close' } }),
  },
  {
    name: 'gives a 204 a body',
    rule: 'G30',
    says: /status 204 has a body/,
    create: () => () => foreign({ status: 204, body: stream([encode('x')]) }),
  },
  {
    name: 'answers 500 itself',
    rule: 'G31',
    says: /itself answers 500/,
    create: () => (request) => new Response('x', { status: request.method === 'POST' ? 500 : 200 }),
  },
  {
    name: 'goes on when its client has left',
    rule: 'G35',
    says: /in spite of the signal/,
    create: () => {
      const isLeaving = createRecogniser();
      return (request) => (isLeaving(request) ? new Promise(() => {}) : new Response('x'));
    },
    timeoutMs: 2_000,
  },
  {
    name: 'writes to a global in each request',
    rule: 'G39',
    says: /write to the global checkedUser/,
    create: () => (request) => {
      Object.assign(globalThis, { checkedUser: request.headers.get('x-request-id') });
      return new Response('x');
    },
  },
];

describe('a gateway function is advised when it', () => {
  test.each(advised)('$rule: $name', async ({ rule, says, create, timeoutMs }) => {
    const { broken: none, advised: rules, findings } = await check(create(), timeoutMs);
    expect({ none, rules }).toEqual({ none: [], rules: [rule] });
    expect(findings.map(({ detail }) => detail).join('\n')).toMatch(says);
  });
});

const always = ['G11', 'G12', 'G13', 'G14', 'G15', 'G16', 'G17', 'G19', 'G20', 'G21', 'G25', 'G26', 'G28'];

describe('a gateway function passes', () => {
  test('that is a plain one, with every rule that came to matter', async () => {
    const { findings, kept, requests } = await check((request) => new Response(request.url));
    expect(findings).toEqual([]);
    expect([...kept]).toEqual(expect.arrayContaining([...always, 'G29', 'G31', 'G39', 'G50']));
    expect(requests).toBeGreaterThan(20);
  });

  test('that streams, declares, waits, works on and stops for clients that leave', async () => {
    const isLeaving = createRecogniser();
    const { findings, kept } = await check(async (request, { waitUntil, signal }) => {
      const isLeft = isLeaving(request);
      waitUntil(Promise.resolve());
      if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
      if (request.method === 'POST') return new Response(request.body);
      if (isLeft) {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      }
      return new Response(stream([encode('he'), encode('llo')]), { headers: { 'Content-Length': '5' } });
    });
    expect(findings).toEqual([]);
    expect([...kept]).toEqual(
      expect.arrayContaining([...always, 'G18', 'G22', 'G23', 'G27', 'G30', 'G32', 'G34', 'G35']),
    );
  });

  test('that sends events for ever', async () => {
    const { findings } = await check(
      () =>
        new Response(stream([encode('data: 1\n\n')], 'stay'), {
          headers: { 'Content-Type': 'text/event-stream' },
        }),
    );
    expect(findings).toEqual([]);
  });

  test('that returns one Response without a body again and again', async () => {
    const response = new Response(null, { status: 204 });
    expect((await check(() => response)).findings).toEqual([]);
  });

  test('that sets a global once', async () => {
    const { findings } = await check(() => {
      Object.assign(globalThis, { checkedCache: Object(Reflect.get(globalThis, 'checkedCache') ?? {}) });
      return new Response('x');
    });
    expect(findings).toEqual([]);
  });

  test('that is a Hono application', async () => {
    const app = new Hono();
    app.get('/', (context) => context.text('hello', 200, { 'Set-Cookie': 'a=1' }));
    app.post('/', async (context) => context.json({ length: (await context.req.arrayBuffer()).byteLength }));
    const { broken: rules, advised: none } = await check((request) => app.fetch(request));
    expect([rules, none]).toEqual([[], []]);
  });
});
