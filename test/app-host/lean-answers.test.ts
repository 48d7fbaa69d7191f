import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BackgroundWork } from '../../src/app-host/background-work.ts';
import { FetchDispatcher } from '../../src/app-host/fetch-dispatcher.ts';
import type { GatewayContext } from '../../src/app-host/gateway-function.ts';
import { installLeanGlobals } from '../../src/app-host/install-lean-globals.ts';
import { toKeptReply } from '../../src/app-host/kept-reply.ts';
import { PlatformHeaders, PlatformResponse } from '../../src/app-host/platform-web.ts';
import { toReply } from '../../src/app-host/to-reply.ts';
import type { OnChunk, RequestBody } from '../../src/message/body.ts';
import { getReplyLength, Reply } from '../../src/message/reply.ts';
import { createExchange } from './create-exchange.ts';

installLeanGlobals();
afterEach(() => {
  vi.restoreAllMocks();
});

const readBytes = (reply: Reply | null): string | null =>
  reply?.body?.kind === 'bytes' ? Buffer.from(reply.body.bytes).toString() : null;

/** A body that gives what the test gives it. */
class WaitingBody implements RequestBody {
  readonly length = null;
  limit = 0;
  onChunk: OnChunk | null = null;

  read(onChunk: OnChunk): void {
    this.onChunk = onChunk;
  }

  cancel(): void {}
}

type Handle = (request: Request, context: GatewayContext) => Response | Promise<Response>;

function dispatch(handle: Handle, exchange = createExchange()): Reply | Promise<Reply> {
  return new FetchDispatcher(handle, 1, new BackgroundWork()).dispatch(exchange);
}

describe('an answer that is at hand', () => {
  test('is a reply at once', () => {
    const reply = dispatch(() => new Response('é', { status: 201, headers: { 'X-A': '1' } }));
    if (!(reply instanceof Reply)) throw new Error('not at once');
    expect([reply.status, reply.fields, readBytes(reply)]).toEqual([
      201,
      ['X-A', '1', 'content-type', 'text/plain;charset=UTF-8'],
      'é',
    ]);
  });

  test('may be promised', async () => {
    expect(readBytes(await dispatch(async () => Response.json({ a: 1 })))).toBe('{"a":1}');
  });

  test.each([
    ['bytes', () => new Response(new Uint8Array([97, 98])), 'ab'],
    ['json', () => Response.json([1]), '[1]'],
    ['nothing', () => new Response(), null],
    ['an empty text', () => new Response(''), null],
    ['a clone', () => new Response('x').clone(), 'x'],
  ])('of %s needs no stream', (_, make, text) => {
    const reply = toKeptReply(make(), 'GET');
    expect(reply).not.toBeNull();
    expect(readBytes(reply)).toBe(text);
  });

  test.each([
    ['HEAD', 200, 'text'],
    ['HEAD', 200, null],
    ['GET', 204, null],
    ['GET', 304, null],
  ])('to %s with status %d and the body %j has none, and claims no length', (method, status, body) => {
    const reply = toKeptReply(new Response(body, { status }), method);
    expect(reply?.status).toBe(status);
    expect(getReplyLength(reply?.body ?? null)).toBeNull();
  });

  test('keeps a declared length to itself where it is true, and says it to HEAD', () => {
    const make = () => new Response('abc', { headers: { A: '1', 'Content-Length': '3' } });
    const reply = toKeptReply(make(), 'GET');
    expect([reply?.fields, readBytes(reply)]).toEqual([
      ['A', '1', 'content-type', 'text/plain;charset=UTF-8'],
      'abc',
    ]);
    expect(getReplyLength(toKeptReply(make(), 'HEAD')?.body ?? null)).toBe(3);
  });

  test('V11: keeps each Set-Cookie by itself', () => {
    const response = new Response(null, {
      headers: [
        ['Set-Cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    });
    expect(toKeptReply(response, 'GET')?.fields).toEqual(['Set-Cookie', 'a=1', 'set-cookie', 'b=2']);
  });

  test('counts as read', () => {
    const response = new Response('x');
    expect(readBytes(toKeptReply(response, 'GET'))).toBe('x');
    expect(response.bodyUsed).toBe(true);
    expect(toKeptReply(response, 'GET')).toBeNull();
  });
});

describe('an answer that is looked at more closely', () => {
  class Teapot extends Response {
    get extra(): number {
      return 418;
    }
  }
  Object.defineProperty(Teapot.prototype, 'status', { get: () => 418 });

  test.each([
    ["one of a class of the application's", () => new Teapot('x'), 418, 'x'],
    ["one of the platform's", () => new PlatformResponse('x'), 200, 'x'],
    [
      'one whose body was touched',
      () => {
        const response = new Response('x');
        void response.body;
        return response;
      },
      200,
      'x',
    ],
    ['one of a form', () => new Response(new URLSearchParams({ a: '1' })), 200, 'a=1'],
    [
      'one that names a connection',
      () => new Response('x', { headers: { Connection: 'close', 'Keep-Alive': 'x' } }),
      200,
      'x',
    ],
  ])('%s', async (_, make, status, text) => {
    const response = make();
    expect(toKeptReply(response, 'GET')).toBeNull();
    const reply = await toReply(response, 'GET');
    expect([reply.status, readBytes(reply)]).toEqual([status, text]);
    expect(reply.fields.filter((name) => /connection|keep-alive/i.test(name))).toEqual([]);
  });

  test('one that declares a length that is not true is broken off', async () => {
    const response = new Response('abc', { headers: { 'Content-Length': '5' } });
    expect(toKeptReply(response, 'GET')).toBeNull();
    expect(getReplyLength((await toReply(response, 'GET')).body)).toBe(5);
  });

  test('one that is given twice is refused the second time', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const response = new Response('x');
    expect((await dispatch(() => response)).status).toBe(200);
    expect((await dispatch(() => response)).status).toBe(500);
  });
});

describe('a request', () => {
  test('and its context have one signal, made when it is asked for, be it late', () => {
    const exchange = createExchange();
    let signals: AbortSignal[] = [];
    let ask = (): void => {};
    void dispatch((request, context) => {
      ask = () => {
        signals = [request.signal, context.signal];
      };
      return new Promise<Response>(() => {});
    }, exchange);
    exchange.onAbort?.();
    ask();
    expect(signals[0]).toBe(signals[1]);
    expect(signals[0].aborted).toBe(true);
  });

  test('tells a listener that its client is gone', () => {
    const exchange = createExchange();
    const events: string[] = [];
    void dispatch((request) => {
      request.signal.addEventListener('abort', () => events.push('abort'));
      return new Promise<Response>(() => {});
    }, exchange);
    exchange.onAbort?.();
    expect(events).toEqual(['abort']);
  });

  test.each<[string, (request: Request) => Promise<unknown>]>([
    ['text()', (request) => request.text()],
    ['the stream', async (request) => (await request.body?.getReader().read())?.value],
    ['blob()', (request) => request.blob()],
  ])('whose answer is out can no longer be read by %s', async (_, read) => {
    for (const when of ['before', 'after']) {
      const exchange = createExchange({ method: 'POST', body: new WaitingBody() });
      let request!: Request;
      const dispatcher = new FetchDispatcher(
        (given) => {
          request = given;
          return new Response('early');
        },
        1,
        new BackgroundWork(),
      );
      void dispatcher.dispatch(exchange);
      const early = when === 'before' ? read(request) : null;
      early?.catch(() => {});
      dispatcher.finish(exchange);
      await expect(early ?? read(request)).rejects.toThrow('the request is over');
    }
  });

  test('can be what the application fetches', async () => {
    const upstream = createServer((request, response) => {
      request.pipe(response.setHeader('X-Method', `${request.method} ${request.headers['x-a']}`));
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const fields = ['Host', `127.0.0.1:${(upstream.address() as AddressInfo).port}`, 'X-A', '1'];
    const reply = await dispatch(
      async (request) => {
        request.headers.set('X-A', '2');
        const answer = await fetch(request);
        return new Response(`${answer.headers.get('x-method')} ${await answer.text()}`);
      },
      createExchange({ method: 'POST', fields, body: 'hello' }),
    );
    await new Promise((resolve) => upstream.close(resolve));
    expect(readBytes(reply)).toBe('POST 2 hello');
  });

  test('that was read cannot be fetched: a rejection', async () => {
    let outcome: Promise<unknown> | null = null;
    await dispatch(
      async (request) => {
        await request.text();
        outcome = fetch(request);
        await outcome.catch(() => {});
        return new Response();
      },
      createExchange({ method: 'POST', body: 'hello' }),
    );
    await expect(outcome).rejects.toThrow(TypeError);
  });
});

test('the platform has its own classes behind ours', () => {
  expect(Object.getPrototypeOf(Response)).toBe(PlatformResponse);
  expect(Object.getPrototypeOf(Headers)).toBe(PlatformHeaders);
  expect(new PlatformResponse() instanceof Response).toBe(true);
  expect(new Response() instanceof PlatformResponse).toBe(true);
});
