import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Deadline, TimerWheel } from '../../src/base/timer-wheel.ts';
import { acceptConnections } from '../../src/http1/accept-connections.ts';
import type { Http1Settings, OpenConnection } from '../../src/http1/http1-settings.ts';
import { ServerConnection } from '../../src/http1/server-connection.ts';
import type { BodySource, OnChunk } from '../../src/message/body.ts';
import type { Exchange } from '../../src/message/exchange.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { createTextReply, Reply } from '../../src/message/reply.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { waitUntil } from '../support/wait-until.ts';

const settings: Http1Settings = {
  timeouts: { header: 60_000, body: 60_000, send: 60_000, keepalive: 60_000 },
  limits: { head: 1024, fields: 20, target: 256, bodyRate: 240 },
};

interface Bed {
  port: number;
  connections: Set<OpenConnection>;
  finished: Exchange[];
  refused: HttpError[];
  sockets: Socket[];
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function serve(
  dispatch: (exchange: Exchange) => Reply | Promise<Reply>,
  timeouts: Partial<Http1Settings['timeouts']> = {},
  timers = new TimerWheel(10),
): Promise<Bed> {
  const bed: Bed = { port: 0, connections: new Set(), finished: [], refused: [], sockets: [] };
  const refuse = (error: HttpError) => {
    bed.refused.push(error);
    return createTextReply(error.status, error.code);
  };
  const options = {
    timers,
    settings: { ...settings, timeouts: { ...settings.timeouts, ...timeouts } },
    dispatcher: {
      dispatch: (exchange: Exchange) => {
        try {
          const reply = dispatch(exchange);
          return reply instanceof Promise ? reply.catch(refuse) : reply;
        } catch (error) {
          return refuse(error as HttpError);
        }
      },
      refuse,
      finish: (exchange: Exchange) => void bed.finished.push(exchange),
    },
    onClose: (connection: OpenConnection) => void bed.connections.delete(connection),
  };
  const server: Server = createServer({ allowHalfOpen: true });
  acceptConnections(server, (socket) => {
    const facts = { peerAddress: '127.0.0.1', peerPort: 1, localAddress: '127.0.0.1', localPort: 2 };
    const connection = new ServerConnection(
      socket,
      { ...facts, scheme: 'http', listenerKey: 'tcp:*:1', serial: 1 },
      options,
    );
    bed.connections.add(connection);
    bed.sockets.push(socket);
    return connection;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bed.port = (server.address() as AddressInfo).port;
  cleanUps.push(() => {
    server.close();
    timers.close();
    for (const connection of bed.connections) connection.destroy();
  });
  return bed;
}

/** Timers for which time passes faster. */
class HastyTimers extends TimerWheel {
  override createDeadline(onExpire: () => void): Deadline {
    const deadline = super.createDeadline(onExpire);
    return {
      set: (delayMs) => deadline.set(delayMs / 25),
      clear: () => deadline.clear(),
      drop: () => deadline.drop(),
    };
  }
}

/** A source that ends as soon as the system takes no more for a client: the last bytes wait in our memory. */
function createOverflow(bed: () => Bed): BodySource {
  return {
    length: null,
    read: (onChunk) => {
      setImmediate(() => onChunk(null, bed().sockets[0].writableLength > 0 ? null : Buffer.alloc(4096, 'x')));
    },
    cancel: () => {},
  };
}

/** Reads a body to its end. */
function readAll(source: BodySource): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onChunk: OnChunk = (error, chunk) => {
      if (error !== null) reject(error);
      else if (chunk === null) resolve(Buffer.concat(chunks));
      else {
        chunks.push(Buffer.from(chunk));
        source.read(onChunk);
      }
    };
    source.read(onChunk);
  });
}

/** A source that gives these chunks, each a turn of the event loop later, then its end. */
function createSource(
  chunks: (string | Error)[],
  length: number | null,
): BodySource & { cancelled: boolean } {
  const left = [...chunks];
  return {
    length,
    cancelled: false,
    read(onChunk) {
      setImmediate(() => {
        if (this.cancelled) return;
        const next = left.shift();
        if (next === undefined) onChunk(null, null);
        else if (next instanceof Error) onChunk(next, null);
        else onChunk(null, Buffer.from(next));
      });
    },
    cancel() {
      this.cancelled = true;
    },
  };
}

const stream = (chunks: (string | Error)[], length: number | null) =>
  new Reply(200, [], { kind: 'stream', source: createSource(chunks, length) });

const get = (target: string, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

const echo = async (exchange: Exchange) =>
  createTextReply(200, (await readAll(exchange.body)).toString('latin1'));

describe('a connection', () => {
  it('answers pipelined requests in order, although later ones are ready earlier', async () => {
    const bed = await serve(async ({ target }) => {
      await sleep(target === '/0' ? 40 : 0);
      return createTextReply(200, target);
    });
    const raw = await openRawSocket(bed.port);
    await raw.send(Array.from({ length: 20 }, (_, i) => get(`/${i}`)).join(''));
    const replies = await raw.readReplies(20);
    expect(replies.map(({ body }) => body.toString())).toEqual(Array.from({ length: 20 }, (_, i) => `/${i}`));
    expect(bed.finished).toHaveLength(20);
  });

  it('answers the same however requests with bodies are split', async () => {
    const bed = await serve(echo);
    const bytes =
      'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd' +
      'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nefg\r\n0\r\nT: x\r\n\r\n' +
      get('/3');
    for (let at = 1; at < bytes.length; at += 3) {
      const raw = await openRawSocket(bed.port);
      await raw.send(bytes, { splitAt: [at] });
      const replies = await raw.readReplies(3);
      expect(replies.map(({ body }) => body.toString())).toEqual(['abcd', 'efg', '']);
      raw.destroy();
    }
  });

  it('sends a shared reply to GET and its head to HEAD, and closes when told to', async () => {
    const reply = new Reply(200, ['ETag', '"x"'], { kind: 'bytes', bytes: Buffer.from('hello') }, true);
    const bed = await serve(() => reply);
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/') + get('/').replace('GET', 'HEAD') + get('/', 'Connection: close\r\n'));
    const replies = await raw.readReplies(3, ['GET', 'HEAD', 'GET']);
    expect(replies.map(({ body }) => body.toString())).toEqual(['hello', '', 'hello']);
    for (const { fields } of replies) expect(fields).toContainEqual(['Content-Length', '5']);
    expect(replies[2].fields).toContainEqual(['Connection', 'close']);
    await raw.readUntilClose();
    expect(bed.finished.map(({ bodyBytesSent }) => bodyBytesSent)).toEqual([5, 0, 5]);
  });

  it('speaks HTTP/1.0: closes by default, keeps alive when asked, never sends chunks', async () => {
    const bed = await serve(({ target }) =>
      target === '/stream' ? stream(['ab', 'cd'], null) : createTextReply(200, 'x'),
    );
    const raw = await openRawSocket(bed.port);
    await raw.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    const [kept] = await raw.readReplies(1);
    expect(kept.fields).toContainEqual(['Connection', 'keep-alive']);
    await raw.send('GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await raw.readUntilClose();
    const streamed = raw.received.toString().split('\r\n\r\n').at(-1);
    expect(streamed).toBe('abcd');
    expect(raw.received.toString()).not.toContain('chunked');
    const plain = await openRawSocket(bed.port);
    await plain.send('GET / HTTP/1.0\r\n\r\n');
    expect((await plain.readUntilClose()).toString()).toContain('Connection: close');
  });

  it('streams with a length, and chunked without one', async () => {
    const bed = await serve(({ target }) => stream(['ab', '', 'cd'], target === '/length' ? 4 : null));
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/length') + get('/chunked'));
    const replies = await raw.readReplies(2);
    expect(replies.map(({ body }) => body.toString())).toEqual(['abcd', 'abcd']);
    expect(replies[0].fields).toContainEqual(['Content-Length', '4']);
    expect(replies[1].fields).toContainEqual(['Transfer-Encoding', 'chunked']);
  });

  it('sends the head of a silent stream at once', async () => {
    const source: BodySource = { length: null, read: () => {}, cancel: () => {} };
    const bed = await serve(() => new Reply(200, ['X', 'y'], { kind: 'stream', source }));
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/'));
    await waitUntil('the head is there', () => raw.received.includes('\r\n\r\n'), 1000);
  });

  it.each([
    ['an error', [new Error('gone')], null],
    ['an end too early', ['ab'], 3],
    ['too many bytes', ['abcd'], 3],
  ])('T5: shows %s of a stream by a reset, never by a proper end', async (_name, chunks, length) => {
    const bed = await serve(() => stream(['x', ...chunks], length === null ? null : length + 1));
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/'));
    await waitUntil('the connection is cut', () => raw.closedBy !== null, 2000);
    expect(raw.closedBy).toBe('reset');
    expect(raw.received.toString()).not.toContain('0\r\n\r\n');
    expect(bed.finished[0].failure).toBeInstanceOf(Error);
  });

  it('does not pull more of a stream than the client reads', async () => {
    let pulled = 0;
    const source: BodySource = {
      length: null,
      read: (onChunk) => {
        pulled += 64 * 1024;
        onChunk(null, Buffer.alloc(64 * 1024));
      },
      cancel: () => {},
    };
    const bed = await serve(() => new Reply(200, [], { kind: 'stream', source }));
    const raw = await openRawSocket(bed.port);
    raw.socket.pause();
    await raw.send(get('/'));
    await sleep(200);
    const settled = pulled;
    await sleep(100);
    expect(pulled).toBe(settled);
    // What loopback sockets buffer; far from what an unbounded loop would have made.
    expect(pulled).toBeLessThan(32 * 1024 * 1024);
  });

  it('keeps control bytes and characters beyond latin1 of a computed field off the wire', async () => {
    const bed = await serve(() => new Reply(200, ['X', 'a\r\nEvil: b\u010d\u010ac\u20ac'], null));
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/'));
    const [reply] = await raw.readReplies(1);
    expect(reply.fields.map(([name]) => name)).toEqual(['Server', 'Date', 'X', 'Content-Length']);
  });

  it('names the server once, as the reply has it', async () => {
    const bed = await serve(() => new Reply(200, ['server', 'inner'], null));
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/'));
    const [reply] = await raw.readReplies(1);
    expect(reply.fields.map(([name, value]) => (name === 'Date' ? name : value))).toEqual([
      'Date',
      'inner',
      '0',
    ]);
  });
});

describe('a request body', () => {
  it('is asked for with 100 only when somebody reads it', async () => {
    const bed = await serve((exchange) =>
      exchange.target === '/read' ? echo(exchange) : createTextReply(401, 'no'),
    );
    const head = (target: string) =>
      `POST ${target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
    const raw = await openRawSocket(bed.port);
    await raw.send(head('/read'));
    await waitUntil('100 came', () => raw.received.includes('HTTP/1.1 100 Continue\r\n\r\n'), 1000);
    await raw.send('hi');
    expect((await raw.readReplies(1)).at(-1)?.body.toString()).toBe('hi');
    const other = await openRawSocket(bed.port);
    await other.send(head('/refuse'));
    await other.readUntilClose();
    expect(other.received.toString()).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('T7: is refused before it is read, and the client sees the answer although it goes on sending', async () => {
    const bed = await serve(() => {
      throw new HttpError('TSS_BODY_TOO_LARGE', 'large');
    });
    const raw = await openRawSocket(bed.port);
    await raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    for (let i = 0; i < 50; i++) await raw.send(Buffer.alloc(64 * 1024));
    const [reply] = await raw.readReplies(1);
    expect(reply.status).toBe(413);
    expect(reply.fields).toContainEqual(['Connection', 'close']);
  });

  it('that nobody read is thrown away when it is small, and never taken for a request', async () => {
    const bed = await serve(() => createTextReply(200, 'x'));
    const raw = await openRawSocket(bed.port);
    const smuggled = get('/smuggled');
    await raw.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n`);
    await raw.readReplies(1);
    await raw.send(smuggled + get('/next'));
    await raw.readReplies(2);
    expect(bed.finished.map(({ target }) => target)).toEqual(['/', '/next']);
  });

  it('beyond its limit fails with 413 as soon as the limit is passed', async () => {
    const bed = await serve((exchange) => {
      exchange.body.limit = 10;
      return echo(exchange);
    });
    const raw = await openRawSocket(bed.port);
    await raw.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n',
    );
    expect((await raw.readReplies(1))[0].status).toBe(413);
    await raw.readUntilClose();
  });

  it('with bad framing in the middle fails, and nothing behind it is believed', async () => {
    const bed = await serve(echo);
    const raw = await openRawSocket(bed.port);
    await raw.send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n${get('/evil')}`,
    );
    await raw.readUntilClose();
    expect(bed.finished.map(({ target }) => target)).toEqual(['/']);
    expect(raw.received.toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('is not read ahead of its reader', async () => {
    let body: Exchange['body'] | null = null;
    const bed = await serve((exchange) => {
      body = exchange.body;
      return new Promise(() => {});
    });
    const raw = await openRawSocket(bed.port);
    await raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    await waitUntil('the request is there', () => body !== null, 1000);
    for (let i = 0; i < 400; i++) raw.socket.write(Buffer.alloc(64 * 1024));
    await sleep(200);
    expect(bed.sockets[0].bytesRead).toBeLessThan(8 * 1024 * 1024);
  });
});

describe('deadlines', () => {
  it('V16: a head that drips in is answered 408, an idle connection is just closed', async () => {
    const bed = await serve(() => createTextReply(200, 'x'), { header: 150, keepalive: 100 });
    const raw = await openRawSocket(bed.port);
    const dripping = (async () => {
      for (const byte of get('/', 'A: b\r\n'.repeat(50))) {
        if (raw.closedBy !== null || raw.received.length > 0) return;
        await raw.send(byte);
        await sleep(20);
      }
    })();
    expect((await raw.readReplies(1))[0].status).toBe(408);
    await dripping;
    const idle = await openRawSocket(bed.port);
    await idle.send(get('/'));
    await idle.readUntilClose(1000);
    expect((await idle.readReplies(1)).length).toBe(1);
    const silent = await openRawSocket(bed.port);
    expect((await silent.readUntilClose(1000)).length).toBe(0);
  });

  it('V16: a body that stops is answered 408', async () => {
    const bed = await serve(echo, { body: 100 });
    const raw = await openRawSocket(bed.port);
    await raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    expect((await raw.readReplies(1))[0].status).toBe(408);
    expect(bed.refused[0].code).toBe('TSS_BODY_TIMEOUT');
  });

  it('V16: a client that does not read is cut off', async () => {
    const bed = await serve(
      () => new Reply(200, [], { kind: 'bytes', bytes: Buffer.alloc(64 * 1024 * 1024) }),
      { send: 150 },
    );
    const raw = await openRawSocket(bed.port);
    raw.socket.pause();
    await raw.send(get('/'));
    await waitUntil('the connection is closed', () => bed.connections.size === 0, 2000);
    expect(bed.finished).toHaveLength(1);
  });
});

describe('the end of a connection', () => {
  it('tells a handler whose client left, and throws its late reply away', async () => {
    let aborted = 0;
    const source = createSource(['x'], null);
    const bed = await serve(async (exchange) => {
      exchange.onAbort = () => aborted++;
      await sleep(100);
      return new Reply(200, [], { kind: 'stream', source });
    });
    const raw = await openRawSocket(bed.port);
    await raw.send(get('/'));
    await sleep(30);
    raw.destroy();
    await waitUntil('the late reply is thrown away', () => source.cancelled, 1000);
    expect(aborted).toBe(1);
    expect(bed.finished).toMatchObject([{ status: 499, abortedBy: 'client' }]);
  });

  it('S19: counts a client that leaves in the middle of a reply', async () => {
    const source: BodySource = { length: null, read: () => {}, cancel: () => {} };
    const silent = await serve((exchange) => {
      exchange.onAbort = () => {};
      return new Reply(200, [], { kind: 'stream', source });
    });
    const raw = await openRawSocket(silent.port);
    await raw.send(get('/'));
    await waitUntil('the head is there', () => raw.received.length > 0, 1000);
    raw.destroy();
    await waitUntil('it is noticed', () => silent.finished.length === 1, 1000);
    expect(silent.finished[0].abortedBy).toBe('client');
  });

  it('is at once for a client that asked for it, whole reply first, and waits for one that may still be sending', async () => {
    const bed = await serve(() => createTextReply(200, 'x'.repeat(10_000)));
    // Sides that stay open at the client: only our own close ends the connection here.
    const asking = new Socket({ allowHalfOpen: true }).connect(bed.port, '127.0.0.1');
    cleanUps.push(() => asking.destroy());
    let received = '';
    asking.on('data', (chunk) => {
      received += chunk;
    });
    asking.write(get('/', 'Connection: close\r\n'));
    await waitUntil('it is closed', () => bed.finished.length === 1 && bed.connections.size === 0, 2000);
    await waitUntil('the reply is whole', () => received.endsWith('x'.repeat(10_000)), 2000);
    const sending = new Socket({ allowHalfOpen: true }).connect(bed.port, '127.0.0.1');
    cleanUps.push(() => sending.destroy());
    sending.resume();
    sending.write(`${get('/', 'Connection: close\r\n')}GET /more HTTP/1.1\r\n`);
    await waitUntil('it is answered', () => bed.finished.length === 2, 2000);
    await sleep(50);
    expect(bed.connections.size).toBe(1);
    sending.end();
    await waitUntil('the client has ended', () => bed.connections.size === 0, 2000);
  });

  it('V16: comes no sooner for the last bytes of a reply than for those before', async () => {
    const bed = await serve(
      () => new Reply(200, [], { kind: 'stream', source: createOverflow(() => bed) }),
      { send: 3_600_000 },
      new HastyTimers(10),
    );
    const raw = await openRawSocket(bed.port);
    raw.socket.pause();
    await raw.send(get('/', 'Connection: close\r\n'));
    await waitUntil('the reply is written', () => bed.finished.length === 1, 5000);
    expect(bed.sockets[0].writableLength).toBeGreaterThan(0);
    // Longer than is waited for a client that has everything: 5 s, here 200 ms.
    await sleep(500);
    raw.socket.resume();
    expect((await raw.readUntilClose()).toString().endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  it('leaves a client that ends its side late the last bytes of its reply', async () => {
    const bed = await serve(() => new Reply(200, [], { kind: 'stream', source: createOverflow(() => bed) }));
    const client = new Socket({ allowHalfOpen: true }).connect(bed.port, '127.0.0.1');
    cleanUps.push(() => client.destroy());
    let tail = '';
    client
      .on('error', () => {})
      .on('data', (bytes) => {
        tail = (tail + bytes.toString('latin1')).slice(-10);
      });
    client.pause().write(get('/', 'Connection: close\r\n'));
    await waitUntil('the reply is written', () => bed.finished.length === 1, 5000);
    client.end();
    await waitUntil('the end is read', () => bed.sockets[0].readableEnded, 5000);
    client.resume();
    await waitUntil('the connection is closed', () => bed.connections.size === 0, 5000);
    await waitUntil('the reply is whole', () => tail.endsWith('\r\n0\r\n\r\n'), 2000);
  });

  it('V16: comes for a client that has ended its side and never reads', async () => {
    const bed = await serve(() => new Reply(200, [], { kind: 'stream', source: createOverflow(() => bed) }), {
      send: 150,
    });
    const client = new Socket({ allowHalfOpen: true }).connect(bed.port, '127.0.0.1');
    cleanUps.push(() => client.destroy());
    client
      .on('error', () => {})
      .pause()
      .end(get('/'));
    await waitUntil('the reply is written', () => bed.finished.length === 1, 5000);
    await waitUntil('it is cut off', () => bed.connections.size === 0, 5000);
  });

  it('costs a client nothing of a large reply, although it says more than it announced', async () => {
    const body = Buffer.alloc(400_000, 'x');
    const bed = await serve(() => new Reply(200, [], { kind: 'bytes', bytes: body }));
    const raw = await openRawSocket(bed.port);
    raw.socket.pause();
    await raw.send(get('/', 'Connection: close\r\n'));
    await waitUntil('it is answered', () => bed.finished.length === 1, 2000);
    await raw.send('\r\n');
    await sleep(50);
    raw.socket.resume();
    expect((await raw.readUntilClose()).subarray(-body.length).equals(body)).toBe(true);
  });

  it('answers a client that has ended its side', async () => {
    const bed = await serve(async () => {
      await sleep(30);
      return createTextReply(200, 'late');
    });
    const raw = await openRawSocket(bed.port);
    raw.socket.end(get('/'));
    expect((await raw.readUntilClose()).toString()).toContain('late');
  });

  it('drains: answers one more request with Connection: close, closes idle connections after a quiet time', async () => {
    const bed = await serve(() => createTextReply(200, 'x'));
    const busy = await openRawSocket(bed.port);
    const idle = await openRawSocket(bed.port);
    await busy.send(get('/'));
    await busy.readReplies(1);
    await waitUntil('both are there', () => bed.connections.size === 2, 1000);
    for (const connection of bed.connections) connection.drain();
    await busy.send(get('/'));
    const replies = await busy.readReplies(2);
    expect(replies[1].fields).toContainEqual(['Connection', 'close']);
    await idle.readUntilClose(3000);
    await waitUntil('none is left', () => bed.connections.size === 0, 2000);
  });

  it('hands the socket to a tunnel with the bytes that came early', async () => {
    const bed = await serve(
      () =>
        new Reply(101, [], {
          kind: 'tunnel',
          open: (client, early) => {
            client.write(`got ${Buffer.from(early).toString()};`);
            client.on('data', (chunk) => client.end(`then ${chunk}`));
          },
        }),
    );
    const raw = await openRawSocket(bed.port);
    await raw.send(`${get('/')}early`);
    await waitUntil('early bytes are there', () => raw.received.includes('got early;'), 1000);
    await raw.send('late');
    expect((await raw.readUntilClose()).toString()).toBe('got early;then late');
    raw.socket.end();
    await waitUntil('it is over', () => bed.finished.length === 1, 1000);
  });
});
