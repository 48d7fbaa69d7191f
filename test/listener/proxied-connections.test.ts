import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { compileIpRanges } from '../../src/base/ip-ranges.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { ConnectionLimits } from '../../src/listener/connection-limits.ts';
import { Listener } from '../../src/listener/listener.ts';
import type { BodySource } from '../../src/message/body.ts';
import type { Exchange } from '../../src/message/exchange.ts';
import type { HttpError } from '../../src/message/http-error.ts';
import { createTextReply, Reply } from '../../src/message/reply.ts';
import { collectLog } from '../support/collect-log.ts';
import { openRawSocket, type RawSocket } from '../support/raw-socket.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createBinaryHead, heads, ipv4Block } from './proxy-heads.ts';

interface BedOptions {
  readonly trusted?: readonly string[];
  readonly headerMs?: number;
  readonly connections?: number;
  readonly perAddress?: number;
}

interface Bed {
  readonly port: number;
  readonly listener: Listener;
  readonly limits: ConnectionLimits;
  readonly lines: string[];
  readonly exchanges: Exchange[];
}

/** Three bytes of more, and then no way to go on. */
function createBrokenSource(): BodySource {
  let reads = 0;
  return {
    length: null,
    read: (onChunk) =>
      void setImmediate(() =>
        reads++ === 0 ? onChunk(null, Buffer.from('abc')) : onChunk(new Error('gone'), null),
      ),
    cancel: () => {},
  };
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function serve(options: BedOptions = {}): Promise<Bed> {
  const { log, lines } = collectLog();
  const exchanges: Exchange[] = [];
  const timers = new TimerWheel(10);
  const limits = new ConnectionLimits();
  const isTrusted = compileIpRanges(options.trusted ?? ['127.0.0.0/8']);
  const { connections = 0, perAddress = 0 } = options;
  limits.configure({ connections, connectionsPerAddress: perAddress }, isTrusted);
  const listener = new Listener({
    key: 'tcp:127.0.0.1:0',
    dispatcher: {
      dispatch: (exchange: Exchange): Reply | Promise<Reply> => {
        exchanges.push(exchange);
        if (exchange.target === '/broken')
          return new Reply(200, [], { kind: 'stream', source: createBrokenSource() });
        const { peerAddress, peerPort, localAddress, localPort } = exchange.connection;
        const reply = createTextReply(200, `${peerAddress} ${peerPort} ${localAddress} ${localPort}`);
        return exchange.target === '/late' ? sleep(50).then(() => reply) : reply;
      },
      refuse: (error: HttpError) => createTextReply(error.status, error.code),
      finish: () => {},
    },
    settings: {
      timeouts: { header: options.headerMs ?? 60_000, body: 60_000, send: 60_000, keepalive: 60_000 },
      limits: { head: 1024, fields: 20, target: 256, bodyRate: 240 },
    },
    headSenders: isTrusted,
    timers,
    connectionLimits: limits,
    log,
  });
  await listener.listen({ port: 0, host: '127.0.0.1' });
  cleanUps.push(() => {
    listener.close();
    timers.close();
  });
  return { port: (listener.address as AddressInfo).port, listener, limits, lines, exchanges };
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const head = createBinaryHead(0x21, 0x11, ipv4Block);
const withRequest = (start: Buffer, text = request) => Buffer.concat([start, Buffer.from(text)]);

async function open(bed: Bed, bytes: Buffer | string, splitAt: number[] = []): Promise<RawSocket> {
  const raw = await openRawSocket(bed.port);
  cleanUps.push(() => raw.destroy());
  await raw.send(bytes, { splitAt });
  return raw;
}

async function read(raw: RawSocket, count = 1): Promise<string[]> {
  return (await raw.readReplies(count)).map(({ body }) => body.toString());
}

/** Waits until no connection is left, and none is counted. */
async function expectNothingLeft({ listener, limits }: Bed): Promise<void> {
  await waitUntil('every connection is gone', () => listener.connectionCount === 0 && limits.total === 0);
}

describe('a connection that begins with a head', () => {
  it.each(heads)('is that of whom %s names', async (_, bytes, client) => {
    const bed = await serve();
    const raw = await open(bed, withRequest(bytes));
    const [text] = await read(raw);
    if (client === null) expect(text).toBe(`127.0.0.1 ${raw.socket.localPort} 127.0.0.1 ${bed.port}`);
    else if (client === 'unix:') expect(text).toBe('unix: 0 unix: 0');
    else expect(text).toMatch(new RegExp(`^${client} 4711 [0-9a-f.:]+ 443$`));
  });

  it.each(heads.map(([name, bytes]) => [name, bytes] as const))(
    'may come in two parts, cut anywhere in %s',
    async (_, bytes) => {
      const bed = await serve();
      const all = withRequest(bytes);
      const cuts = Array.from({ length: all.length - 1 }, (_unused, i) => i + 1);
      const sockets = await Promise.all(cuts.map((cut) => open(bed, all, [cut])));
      const texts = await Promise.all(sockets.map((raw) => read(raw)));
      expect(texts.flat()).toHaveLength(cuts.length);
    },
  );

  it('may come byte by byte', async () => {
    const bed = await serve();
    const all = withRequest(head);
    const raw = await open(
      bed,
      all,
      Array.from({ length: all.length }, (_, i) => i),
    );
    expect(await read(raw)).toEqual(['203.0.113.9 4711 192.0.2.1 443']);
  });

  it('is one client to its end, and a second head is no request', async () => {
    const bed = await serve();
    const raw = await open(bed, withRequest(head, request.repeat(3)));
    expect(new Set(await read(raw, 3))).toEqual(new Set(['203.0.113.9 4711 192.0.2.1 443']));
    await raw.send('PROXY TCP4 198.51.100.1 192.0.2.1 1 2\r\n\r\n');
    await raw.readUntilClose();
    expect(bed.exchanges).toHaveLength(3);
    expect(raw.received.toString()).toContain('HTTP/1.1 400');
    await expectNothingLeft(bed);
  });
});

describe('a connection is closed without an answer, with one line in the log,', () => {
  it.each([
    ['a request', request],
    ['a head of another version', createBinaryHead(0x31, 0x11, ipv4Block)],
    ['a line that does not end', `PROXY TCP4 ${'1'.repeat(200)}`],
  ])('when it begins with %s', async (_, bytes) => {
    const bed = await serve();
    const raw = await open(bed, bytes);
    expect((await raw.readUntilClose()).length).toBe(0);
    expect(bed.lines).toEqual([
      'warn tcp:127.0.0.1:0: connection of 127.0.0.1 closed: what came is no head of the PROXY protocol',
    ]);
    expect(bed.exchanges).toEqual([]);
    await expectNothingLeft(bed);
  });

  it('when its peer is none of those who may send heads', async () => {
    const bed = await serve({ trusted: ['192.0.2.0/24'] });
    const raw = await open(bed, withRequest(head));
    expect((await raw.readUntilClose()).length).toBe(0);
    expect(bed.lines).toHaveLength(1);
    expect(bed.lines[0]).toContain('connection of 127.0.0.1 closed: it is none of "trustedProxies"');
    expect(bed.exchanges).toEqual([]);
    await expectNothingLeft(bed);
  });

  it('when the head is not whole within the header timeout, however slowly it comes', async () => {
    const bed = await serve({ headerMs: 100 });
    const raw = await open(bed, head.subarray(0, 5));
    let sent = 5;
    // 23 bytes are left: far more time than there is.
    const timer = setInterval(() => void raw.send(head.subarray(sent, ++sent)), 20);
    await raw.readUntilClose();
    clearInterval(timer);
    expect(bed.lines).toHaveLength(1);
    expect(bed.lines[0]).toContain('did not come within the header timeout');
    await expectNothingLeft(bed);
  });

  it('when it ends within the head', async () => {
    const bed = await serve();
    const raw = await open(bed, head.subarray(0, 20));
    raw.socket.end();
    await raw.readUntilClose();
    expect(bed.lines[0]).toContain('the connection ended within the head');
    await expectNothingLeft(bed);
  });
});

it('connections of checks come and go without a line', async () => {
  const bed = await serve();
  const silent = await open(bed, '');
  silent.socket.end();
  await silent.readUntilClose();
  const local = await open(bed, createBinaryHead(0x20, 0x00, ''));
  local.socket.end();
  await local.readUntilClose();
  const cut = await open(bed, '');
  cut.destroy();
  await expectNothingLeft(bed);
  expect(bed.lines).toEqual([]);
});

it('a client that ends its side behind the head and its request is answered, also when that takes a while', async () => {
  const bed = await serve();
  const raw = await open(bed, '');
  raw.socket.end(withRequest(head, 'GET /late HTTP/1.1\r\nHost: a\r\n\r\n'));
  expect(await read(raw)).toEqual(['203.0.113.9 4711 192.0.2.1 443']);
});

it.each(heads)(
  'a broken reply to the client of %s ends in a reset: the socket is one of TCP',
  async (_, bytes) => {
    const bed = await serve();
    const raw = await open(bed, withRequest(bytes, 'GET /broken HTTP/1.0\r\n\r\n'));
    await raw.readUntilClose();
    expect(raw.closedBy).toBe('reset');
    await expectNothingLeft(bed);
  },
);

describe('limits', () => {
  it('per address are those of the client, not of its proxy', async () => {
    const bed = await serve({ perAddress: 1 });
    const first = await open(bed, withRequest(head));
    await read(first);
    const second = await open(bed, withRequest(head));
    expect((await second.readReplies(1))[0].status).toBe(503);
    const other = await open(bed, withRequest(Buffer.from('PROXY TCP4 198.51.100.1 192.0.2.1 1 2\r\n')));
    expect(await read(other)).toEqual(['198.51.100.1 1 192.0.2.1 2']);
    expect(bed.limits.total).toBe(2);
    first.destroy();
    await waitUntil('the first is gone', () => bed.limits.total === 1);
    const third = await open(bed, withRequest(head));
    expect(await read(third)).toEqual(['203.0.113.9 4711 192.0.2.1 443']);
    other.destroy();
    third.destroy();
    await expectNothingLeft(bed);
  });

  it('of all connections hold for those without a head yet: the oldest makes room', async () => {
    const bed = await serve({ connections: 2 });
    const waiting = await open(bed, head.subarray(0, 3));
    const served = await open(bed, withRequest(head));
    await read(served);
    const late = await open(bed, withRequest(head));
    expect(await read(late)).toHaveLength(1);
    await waiting.readUntilClose();
    expect(bed.limits.total).toBe(2);
    served.destroy();
    late.destroy();
    await expectNothingLeft(bed);
  });
});

describe('a drain', () => {
  it('waits for the head and the request of a connection that it found open', async () => {
    const bed = await serve();
    const raw = await open(bed, head.subarray(0, 7));
    await waitUntil('the connection is accepted', () => bed.listener.connectionCount === 1);
    let drained = false;
    const drain = bed.listener.drain().then(() => {
      drained = true;
    });
    expect(drained).toBe(false);
    await raw.send(withRequest(head.subarray(7)));
    expect(await read(raw)).toEqual(['203.0.113.9 4711 192.0.2.1 443']);
    expect(raw.received.toString()).toContain('Connection: close');
    raw.destroy();
    await drain;
  });

  it('is over when the last connection turns out to be of a client that has too many', async () => {
    const bed = await serve({ perAddress: 1 });
    bed.limits.admit('203.0.113.9');
    const raw = await open(bed, head.subarray(0, 7));
    await waitUntil('the connection is accepted', () => bed.listener.connectionCount === 1);
    const drain = bed.listener.drain();
    await raw.send(head.subarray(7));
    expect((await raw.readReplies(1))[0].status).toBe(503);
    await drain;
  });

  it('does not wait long for one that says nothing, and leaves no line', async () => {
    const bed = await serve();
    const raw = await open(bed, '');
    await waitUntil('the connection is accepted', () => bed.listener.connectionCount === 1);
    await bed.listener.drain();
    await raw.readUntilClose();
    expect(bed.lines).toEqual([]);
  });
});

it('a reload decides for the connections to come', async () => {
  const bed = await serve();
  const before = await open(bed, withRequest(head));
  await read(before);
  const settings = {
    timeouts: { header: 60_000, body: 60_000, send: 60_000, keepalive: 60_000 },
    limits: { head: 1024, fields: 20, target: 256, bodyRate: 240 },
  };
  bed.listener.configure(settings, null);
  const after = await open(bed, request);
  expect((await read(after))[0]).toContain('127.0.0.1 ');
  await before.send(request);
  expect(await read(before, 2)).toHaveLength(2);
});
