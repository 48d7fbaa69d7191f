// The rules of docs/gateway.md that one instance keeps by itself, each against a served function. Other rules are held by
// the tests that cite them; the last test here sees to it that none is forgotten.

import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { BackgroundWork } from '../../src/app-host/background-work.ts';
import { FetchDispatcher } from '../../src/app-host/fetch-dispatcher.ts';
import type { GatewayContext, GatewayFunction } from '../../src/app-host/gateway-function.ts';
import { PlatformHeaders, PlatformResponse } from '../../src/app-host/platform-web.ts';
import { Reply } from '../../src/message/reply.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createExchange } from './create-exchange.ts';
import { drainServers, get, sendText, serve, watchReports } from './serve-application.ts';
import { installLean, streamOf } from './web-classes.ts';

beforeAll(() => void installLean());

afterEach(async () => {
  vi.restoreAllMocks();
  await drainServers();
});

const respond = async (handle: GatewayFunction, fields = '', method = 'GET') =>
  get(await serve(handle), fields, method);

/** Field lines and body of an answer. */
function split(answer: string): { status: number; fields: string[]; body: string } {
  const end = answer.indexOf('\r\n\r\n');
  const [line, ...fields] = answer.slice(0, end).split('\r\n');
  return { status: Number(line.split(' ')[1]), fields, body: answer.slice(end + 4) };
}

describe('the call', () => {
  test('G12: the URL is what the client used, settled', async () => {
    const path = await serve((request) => new Response(request.url));
    const ask = async (target: string, fields: string) =>
      split(
        await sendText(path, `GET ${target} HTTP/1.1\r\nHost: in.side\r\n${fields}Connection: close\r\n\r\n`),
      ).body;
    expect(await ask("/a/../b?c=%20'", 'X-Forwarded-Host: Ex.Ample:81\r\nX-Forwarded-Proto: https\r\n')).toBe(
      'https://ex.ample:81/b?c=%20%27',
    );
    expect(await ask('//x', '')).toBe('http://in.side//x');
  });

  test('G12: TRACE is answered without a call', async () => {
    let calls = 0;
    const answer = await respond(() => new Response(String(++calls)), '', 'TRACE');
    expect([split(answer).status, calls]).toEqual([400, 0]);
  });

  test('G13: fields of the connection are left out', async () => {
    const fields = 'X-A: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nUpgrade: y\r\n';
    const answer = await respond((request) => Response.json([...request.headers.keys()]), fields);
    expect(JSON.parse(split(answer).body)).toEqual(['host', 'x-a']);
  });

  test('G16: behind the response the body cannot be read any more', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const path = await serve((request) => {
      late = new Promise((resolve) => setTimeout(resolve, 20))
        .then(() => request.text())
        .catch((error: unknown) => error);
      return new Response('done');
    });
    await sendText(path, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello');
    expect(await late).toBeInstanceOf(TypeError);
  });

  test('G19: log and waitUntil may be taken from the context', async () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(String(text));
      return true;
    });
    await respond((_, { log, waitUntil: wait }) => {
      wait(Promise.resolve());
      log('seen %d', 5, { a: 1 });
      return new Response('x');
    }, 'X-Request-Id: r1\r\n');
    expect(lines).toEqual(['request r1: seen 5 { a: 1 }\n']);
  });

  test('G20: there is one signal', async () => {
    let context = {} as GatewayContext;
    let request = {} as Request;
    await respond((first, second) => {
      [request, context] = [first, second];
      return new Response('x');
    });
    expect(context.signal).toBe(request.signal);
  });
});

describe('the response', () => {
  test.each<[string, () => Response]>([
    ["the platform's", () => new PlatformResponse('text', { headers: { 'X-A': '1' } })],
    [
      "one of a class that extends this process's",
      () => new (class extends Response {})('text', { headers: { 'X-A': '1' } }),
    ],
    [
      'anything with its members',
      () =>
        ({
          status: 200,
          headers: new PlatformHeaders({ 'X-A': '1' }),
          body: streamOf(['text']),
          bodyUsed: false,
        }) as unknown as Response,
    ],
  ])('G21: may be %s', async (_, create) => {
    const { status, fields, body } = split(await respond(create));
    expect([status, body.includes('text')]).toEqual([200, true]);
    expect(fields.map((field) => field.toLowerCase())).toContain('x-a: 1');
  });

  test.each<[string, () => unknown]>([
    ['of status 0', () => Response.error()],
    ['of status 199', () => ({ status: 199, headers: new Headers(), body: null })],
    ['that is a text', () => 'text'],
  ])('G21: one %s is a failed call', async (_, create) => {
    watchReports();
    expect(split(await respond(create as GatewayFunction)).status).toBe(500);
  });

  test.each<[string, () => ConstructorParameters<typeof Response>[0], string]>([
    ['nothing', () => null, ''],
    ['a text', () => 'täxt', Buffer.from('täxt').toString('latin1')],
    ['bytes', () => new Uint8Array([104, 105]), 'hi'],
    ['URLSearchParams', () => new URLSearchParams({ a: 'b c' }), 'a=b+c'],
    ['a stream that is complete', () => streamOf(['stream']), 'stream'],
  ])('G22, G23: a body of %s is sent with its length', async (_, create, text) => {
    const { fields, body } = split(await respond(() => new Response(create())));
    expect(body).toBe(text);
    expect(fields.map((field) => field.toLowerCase())).toContain(`content-length: ${text.length}`);
  });

  test('G22: a body may be a Blob', async () => {
    const { fields, body } = split(
      await respond(() => new Response(new Blob(['bl', 'ob'], { type: 'a/b' }))),
    );
    expect(fields.map((field) => field.toLowerCase())).toContain('content-type: a/b');
    expect(body.replaceAll(/^[0-9a-f]+\r\n|\r\n(?:[0-9a-f]+\r\n|$)/g, '')).toContain('blob');
  });

  test('G22: a body of FormData has its boundary in the type', async () => {
    const form = new FormData();
    form.set('a', 'b');
    const { fields, body } = split(await respond(() => new Response(form)));
    const boundary = /^content-type: multipart\/form-data; boundary=(.+)$/im.exec(fields.join('\n'))?.[1];
    expect(body).toContain(`--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n`);
  });

  test.each<[string, string, (body: ReadableStream) => Response]>([
    ['HEAD', 'HEAD', (body) => new Response(body)],
    [
      '204',
      'GET',
      (body) =>
        ({ status: 204, headers: new PlatformHeaders(), body, bodyUsed: false }) as unknown as Response,
    ],
    [
      '304',
      'GET',
      (body) =>
        ({ status: 304, headers: new PlatformHeaders(), body, bodyUsed: false }) as unknown as Response,
    ],
  ])('G24, G30: a body that is not to be sent is cancelled: %s', async (_, method, create) => {
    let cancelled = false;
    const body = new ReadableStream({
      cancel: () => {
        cancelled = true;
      },
    });
    const answer = split(await respond(() => create(body), '', method));
    expect([answer.body, cancelled]).toEqual(['', true]);
  });

  test('G25: with a body it can be returned once, without one again and again', async () => {
    const reports = watchReports();
    const once = new Response('text');
    const bodyless = new Response(null, { status: 202 });
    const path = await serve((request) => (request.method === 'GET' ? once : bodyless));
    expect(split(await get(path)).status).toBe(200);
    expect(split(await get(path)).status).toBe(500);
    expect(reports.join('')).toContain('the body of the returned Response was already read');
    for (let i = 0; i < 2; i++) expect(split(await get(path, '', 'DELETE')).status).toBe(202);
  });

  test('G26: the fields of the framing are the instance’s', async () => {
    const headers = {
      Connection: 'x-b',
      'Keep-Alive': '9',
      'Proxy-Connection': 'a',
      Trailer: 'b',
      'Transfer-Encoding': 'gzip',
      Upgrade: 'c',
      'X-B': '1',
    };
    const { fields, body } = split(await respond(() => new Response('text', { headers })));
    const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
    expect(names.filter((name) => name !== 'date' && name !== 'server').sort()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'x-b',
    ]);
    expect(fields).toContain('Connection: close');
    expect(body).toBe('text');
  });

  test.each<[string, () => Response, string]>([
    ['too small', () => new Response('text', { headers: { 'Content-Length': '3' } }), 'declared'],
    [
      'no number',
      () => new Response('text', { headers: { 'Content-Length': 'x' } }),
      'declares a length of "x"',
    ],
    [
      'without a body',
      () => new Response(null, { headers: { 'Content-Length': '3' } }),
      'declares 3 bytes but has no body',
    ],
  ])('G27: a length that is not true reaches nobody as true: %s', async (_, create, report) => {
    const reports = watchReports();
    const answer = await respond(create);
    expect(answer).not.toMatch(/^HTTP\/1\.1 200[\s\S]*\r\n\r\ntext$/);
    await waitUntil('the report', () => reports.join('').includes(report));
  });

  test.each<[string, string[]]>([
    ['longer', ['abc', 'def']],
    ['shorter', ['a']],
  ])('G27, G32: a stream that is %s than declared is broken off', async (_, chunks) => {
    watchReports();
    const slow = () =>
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          const chunk = chunks.shift();
          if (chunk === undefined) controller.close();
          else controller.enqueue(Buffer.from(chunk));
        },
      });
    const { fields, body } = split(
      await respond(() => new Response(slow(), { headers: { 'Content-Length': '4' } })),
    );
    expect(fields.map((field) => field.toLowerCase())).toContain('content-length: 4');
    expect(body.replace('<reset>', '').length).toBeLessThan(4);
  });

  test('G28: each Set-Cookie is a field', async () => {
    const { fields } = split(
      await respond(() => {
        const response = new Response('x', { headers: [['Set-Cookie', 'a=1, 2']] });
        response.headers.append('set-cookie', 'b=2');
        return response;
      }),
    );
    expect(fields.filter((field) => /^set-cookie/i.test(field)).map((field) => field.split(': ')[1])).toEqual(
      ['a=1, 2', 'b=2'],
    );
  });

  test.each<[string, () => Response, string | undefined]>([
    ['a text', () => new Response('hello'), undefined],
    [
      'a text with its length',
      () => new Response('hello', { headers: { 'Content-Length': '5' } }),
      'content-length: 5',
    ],
    [
      'a declared length',
      () => new Response(null, { headers: { 'Content-Length': '7' } }),
      'content-length: 7',
    ],
    ['a stream', () => new Response(streamOf(['a'])), undefined],
  ])('G29: HEAD tells the length that is declared: %s', async (_, create, expected) => {
    const path = await serve(create);
    const { fields, body } = split(await get(path, '', 'HEAD'));
    expect(body).toBe('');
    expect(
      fields.map((field) => field.toLowerCase()).find((field) => field.startsWith('content-length')),
    ).toBe(expected);
  });
});

describe('errors', () => {
  test('G32: a chunk that is no Uint8Array breaks the body off', async () => {
    const reports = watchReports();
    const texts = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        controller.enqueue('text');
      },
    });
    const answer = await respond(() => new Response(texts));
    expect(answer).not.toMatch(/0\r\n\r\n$/);
    await waitUntil('the report', () =>
      reports.join('').includes('a chunk of the response body is not a Uint8Array'),
    );
  });

  test('G35: after the abort an error is nobody’s, and what is returned is let go', async () => {
    const reports = watchReports();
    let cancelled = false;
    let started = 0;
    const path = await serve(async (request) => {
      started++;
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      if (request.method === 'DELETE') throw new Error('too late');
      return new Response(
        new ReadableStream({
          cancel: () => {
            cancelled = true;
          },
        }),
      );
    });
    for (const [index, method] of ['DELETE', 'GET'].entries()) {
      const socket = connect(path, () => socket.write(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`));
      await waitUntil('the call', () => started > index);
      socket.destroy();
    }
    await waitUntil('the cancel', () => cancelled);
    expect(reports).toEqual([]);
  });
});

describe('the web classes', () => {
  test.each<[string, () => ConstructorParameters<typeof Response>[0]]>([
    ['none', () => null],
    ['a text', () => 'text'],
    ['bytes', () => new Uint8Array(3)],
  ])('G46: an answer that is complete at once costs no promise: %s', (_, create) => {
    const dispatcher = new FetchDispatcher(() => new Response(create()), 1, new BackgroundWork());
    expect(dispatcher.dispatch(createExchange())).toBeInstanceOf(Reply);
  });

  test('G47: a property of one Response is not looked at, a class is', async () => {
    const defined = await respond(() => Object.defineProperty(new Response('x'), 'status', { value: 404 }));
    class Teapot extends Response {}
    Object.defineProperty(Teapot.prototype, 'status', { get: () => 418 });
    const extended = await respond(() => new Teapot('x'));
    expect([split(defined).status, split(extended).status]).toEqual([200, 418]);
  });

  test('G48: the platform’s classes can be had', () => {
    expect(Object.getPrototypeOf(Response)).toBe(PlatformResponse);
    expect(Object.getPrototypeOf(Headers)).toBe(PlatformHeaders);
  });
});

test('every rule of the document is cited by a test', () => {
  const root = new URL('../../', import.meta.url).pathname;
  const rules = [...readFileSync(`${root}docs/gateway.md`, 'utf8').matchAll(/^- \*\*(G\d+)\*\*/gm)].map(
    ([, id]) => id,
  );
  expect(rules).toEqual(rules.map((_, index) => `G${index + 1}`));
  const titles = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(`${root}test/${file}`, 'utf8'))
    .join('\n');
  // That an instance is killed for hanging is its supervisor's to do, and to test.
  const uncited = rules.filter(
    (id) => id !== 'G40' && !new RegExp(`['\`][^'\`\n]*\\b${id}\\b[^'\`\n]*['\`]`).test(titles),
  );
  expect(uncited).toEqual([]);
});
