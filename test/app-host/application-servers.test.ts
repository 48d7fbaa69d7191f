import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FetchServer } from '../../src/app-host/fetch-server.ts';
import type { GatewayContext, GatewayFunction, NodeListener } from '../../src/app-host/gateway-function.ts';
import { NodeServer } from '../../src/app-host/node-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  drainServers,
  sendText as exchange,
  get,
  serve,
  serveNode,
  takeServers,
  watchReports,
} from './serve-application.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await drainServers();
});

describe('a gateway function', () => {
  test('G11, G17: answers, and knows its request and its context', async () => {
    const seen: { request?: Request; context?: GatewayContext } = {};
    const path = await serve((request, context) => {
      Object.assign(seen, { request, context });
      return new Response('hello', { headers: { 'X-A': '1' } });
    });
    const reply = await get(
      path,
      'X-Real-IP: 192.0.2.1\r\nX-Request-Id: abc\r\nX-Forwarded-Proto: https\r\n',
    );
    expect(reply).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(reply).toMatch(/\r\ncontent-length: 5\r\n/i);
    expect(reply.endsWith('\r\n\r\nhello')).toBe(true);
    expect(seen.request?.url).toBe('https://h/a?b');
    expect(seen.context).toMatchObject({ clientAddress: '192.0.2.1', requestId: 'abc', instance: 3 });
    expect(seen.context?.signal.aborted).toBe(false);
  });

  test('G14, G16: gets a body as it comes and sends it back', async () => {
    const path = await serve((request) => new Response(request.body));
    const reply = await exchange(
      path,
      'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    );
    expect(reply.replace(/[\s\S]*?\r\n\r\n/, '').replace(/\r\n[0-9a-f]+\r\n|^[0-9a-f]+\r\n/g, '')).toContain(
      'abcde',
    );
  });

  test.each<[string, GatewayFunction, string]>([
    [
      'throws',
      () => {
        throw new RangeError('boom');
      },
      'RangeError: boom',
    ],
    [
      'rejects',
      async () => {
        throw new RangeError('boom');
      },
      'RangeError: boom',
    ],
    [
      'throws no error',
      () => {
        throw 'text';
      },
      'thrown: text',
    ],
    [
      'throws what cannot be made a text',
      () => {
        throw Object.create(null);
      },
      'thrown: [Object: null prototype] {}',
    ],
    [
      'throws what throws at every touch',
      () => {
        const refuse = () => {
          throw new Error('hands off');
        };
        throw new Proxy({}, { get: refuse, getPrototypeOf: refuse });
      },
      'thrown: a value that cannot be shown',
    ],
    [
      'throws an error that is its own cause',
      () => {
        const error = new RangeError('boom');
        error.cause = error;
        throw error;
      },
      'caused by RangeError: boom',
    ],
    [
      'throws an error with an odd stack',
      () => {
        throw Object.assign(new RangeError('boom'), { stack: Symbol('odd') });
      },
      'thrown: a value that cannot be shown',
    ],
    ['returns nothing', () => undefined as unknown as Response, 'returned undefined, not a Response'],
  ])(
    'G31: that %s is answered for with 500, and reported with the id of the request',
    async (_, handle, message) => {
      const reports = watchReports();
      const path = await serve(handle);
      const reply = await get(path, 'X-Request-Id: r1\r\n');
      expect(reply).toMatch(/^HTTP\/1\.1 500 /);
      expect(reply).not.toContain('boom');
      expect(reports.join('')).toContain(`request r1 GET /a failed: `);
      expect(reports.join('')).toContain(message);
      expect(reports.join('')).not.toContain('?b');
    },
  );

  test('V37: an id that is no id is not repeated', async () => {
    let id = '';
    const path = await serve((_, context) => {
      id = context.requestId;
      return new Response('x');
    });
    await get(path, 'X-Request-Id: a b;c\r\n');
    expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('G24: may have a body that always has a chunk at hand: others are served, and it ends with its client', async () => {
    let cancelled = false;
    const path = await serve((request) =>
      request.method === 'POST'
        ? new Response('neighbour')
        : new Response(
            new ReadableStream<Uint8Array>({
              pull: (controller) => controller.enqueue(new Uint8Array(100)),
              cancel: () => {
                cancelled = true;
              },
            }),
          ),
    );
    let received = 0;
    const endless = connect(path, () => endless.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'));
    endless.on('data', ({ length }) => {
      received += length;
    });
    await waitUntil('some of the endless body', () => received > 100_000);
    const neighbour = await exchange(
      path,
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    expect(neighbour).toMatch(/neighbour$/);
    endless.destroy();
    await waitUntil('the end of the body', () => cancelled);
  });

  test.each<[string, unknown]>([
    ['what cannot be made a text', Object.create(null)],
    ['nothing', null],
  ])('G32: whose body fails with %s breaks it off', async (_, thrown) => {
    watchReports();
    const path = await serve(
      () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 2));
              controller.error(thrown);
            },
          }),
        ),
    );
    expect(await get(path)).not.toMatch(/0\r\n\r\n$/);
  });

  test('G34, T5: is told when its client is gone', async () => {
    let aborted = false;
    let started = false;
    const path = await serve(
      (request) =>
        new Promise((_, reject) => {
          started = true;
          request.signal.addEventListener('abort', () => {
            aborted = true;
            reject(request.signal.reason);
          });
        }),
    );
    const reports = watchReports();
    const socket = connect(path, () => socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'));
    await waitUntil('the request', () => started);
    socket.destroy();
    await waitUntil('the abort', () => aborted);
    expect(reports).toEqual([]);
  });

  test('G34, T5: is told when its client is gone, although it does not read the body', async () => {
    let aborted = 0;
    let started = 0;
    const path = await serve((request) => {
      started++;
      return new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => {
          aborted++;
          reject(request.signal.reason);
        });
      });
    });
    const [server] = takeServers();
    const body = Buffer.alloc(1_000_000);
    for (const framing of [
      'Content-Length: 1000000\r\n\r\n',
      'Transfer-Encoding: chunked\r\n\r\nf4240\r\n',
    ]) {
      const socket = connect(path, () => {
        socket.write(`POST / HTTP/1.1\r\nHost: h\r\n${framing}`);
        socket.write(body);
      });
      const before = started;
      await waitUntil('the request', () => started > before);
      socket.destroy();
    }
    await waitUntil('the abort', () => aborted === 2);
    // Only without any connection does it come to an end.
    await server.drain();
  });

  test('G32, T5: a body that breaks off reaches the client as broken off', async () => {
    const reports = watchReports();
    const path = await serve(() => {
      let count = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          if (count++ === 2) throw new Error('source gone');
          controller.enqueue(new Uint8Array([97]));
        },
      });
      return new Response(body);
    });
    const reply = await get(path, 'X-Request-Id: r2\r\n');
    expect(reply).not.toMatch(/0\r\n\r\n$/);
    await waitUntil('the report', () =>
      reports.join('').includes('request r2 GET /a failed: Error: source gone'),
    );
  });

  test('G12, V1: a host that is none is a bad request, not a crash', async () => {
    const path = await serve(() => new Response('x'));
    expect(await get(path, 'X-Forwarded-Host: [zz]\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('the end of an instance', () => {
  test('G18, G42: waits for what runs and for the work behind it', async () => {
    const events: string[] = [];
    let release = (): void => {};
    const server = new FetchServer(async (_, context) => {
      context.waitUntil(
        new Promise<void>((resolve) => setTimeout(resolve, 30)).then(() => void events.push('work')),
      );
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      events.push('answer');
      return new Response('late');
    }, 1);
    const path = join(createTempFolder(), 'app.sock');
    await server.listen(path);
    const reply = exchange(path, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const drained = server.drain().then(() => void events.push('drained'));
    release();
    expect(await reply).toContain('late');
    await drained;
    expect(events).toEqual(['answer', 'work', 'drained']);
  });

  test('G18: reports work that failed', async () => {
    const reports = watchReports();
    const path = await serve((_, { waitUntil: wait }) => {
      wait(Promise.reject(new Error('lost')));
      return new Response('x');
    });
    await get(path, 'X-Request-Id: r3\r\n');
    expect(reports.join('')).toContain('request r3: work given to waitUntil failed: Error: lost');
  });
});

describe('a Node listener', () => {
  test('T5: is told when its client is gone, although it does not read the body', async () => {
    let closed = false;
    let started = false;
    const path = await serveNode((_, response) => {
      started = true;
      response.on('close', () => {
        closed = true;
      });
    });
    const socket = connect(path, () => {
      socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n');
      socket.write(Buffer.alloc(900_000));
    });
    await waitUntil('the request', () => started);
    socket.destroy();
    await waitUntil('the close', () => closed);
  });

  test('G3: answers with the classes of node:http', async () => {
    const path = await serveNode((request, response) => {
      response.setHeader('X-Url', request.url ?? '');
      response.end('from node');
    });
    const reply = await get(path);
    expect(reply).toMatch(/X-Url: \/a\?b\r\n/);
    expect(reply.endsWith('from node')).toBe(true);
  });

  test.each<[string, NodeListener]>([
    [
      'throws',
      () => {
        throw new RangeError('boom');
      },
    ],
    [
      'rejects',
      async () => {
        throw new RangeError('boom');
      },
    ],
    [
      'rejects a promise of its own kind',
      // biome-ignore lint/suspicious/noThenProperty: what it is about
      () => ({ then: (_: unknown, reject: (error: Error) => void) => reject(new RangeError('boom')) }),
    ],
  ])('that %s is answered for with 500', async (_, listener) => {
    const reports = watchReports();
    const path = await serveNode(listener);
    const reply = await get(path);
    expect(reply).toMatch(/^HTTP\/1\.1 500 /);
    expect(reply).not.toContain('boom');
    expect(reports.join('')).toContain('request GET /a failed: RangeError: boom');
  });

  test('that fails in the middle of its answer breaks it off', async () => {
    watchReports();
    const path = await serveNode(async (_, response) => {
      response.write('part');
      await new Promise((resolve) => setTimeout(resolve, 10));
      throw new Error('boom');
    });
    expect(await get(path)).not.toMatch(/0\r\n\r\n$/);
  });

  test('answers one more request on a connection that was idle when the end began', async () => {
    const server = new NodeServer((_, response) => void response.end('answer'));
    const path = join(createTempFolder(), 'app.sock');
    await server.listen(path);
    const client = connect(path);
    let received = '';
    client.on('data', (data) => {
      received += data;
    });
    client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await waitUntil('the first answer', () => received.endsWith('answer'));
    const drained = server.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
    received = '';
    client.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
    await waitUntil('the second answer', () => received.endsWith('answer'));
    expect(received).toContain('\r\nConnection: close\r\n');
    await drained;
  });

  test('ends behind what runs, and takes idle connections with it', async () => {
    const server = new NodeServer((_, response) => void setTimeout(() => response.end('late'), 30));
    const path = join(createTempFolder(), 'app.sock');
    await server.listen(path);
    const idle = connect(path);
    const reply = get(path);
    await new Promise((resolve) => setTimeout(resolve, 15));
    await server.drain();
    expect(await reply).toContain('late');
    idle.destroy();
  });
});
