import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getField } from '../../../src/message/fields.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import { PieceSource, pause, readAll, waitUntil } from '../../http1/client-peer.ts';
import { answer } from '../../upstream/upstream-fixture.ts';
import { createExchange, handle, ProxyBench, readText } from './proxy-fixture.ts';

let bench: ProxyBench;
beforeEach(() => {
  bench = new ProxyBench();
});
afterEach(() => bench.close());

async function startRaw(text: string, url?: string) {
  const peer = await bench.around.startPeer(() => text);
  const upstream = bench.around.createUpstream({ servers: url === undefined ? [peer.url] : [url, peer.url] });
  return { handler: bench.create(upstream), upstream, peer };
}

describe('a response', () => {
  test('reaches the client without what ended at this hop', async () => {
    const { handler } = await startRaw(
      answer(
        'hi',
        'Server: inner\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\n' +
          'Keep-Alive: timeout=5\r\nUpgrade: h2c\r\nTrailer: A\r\nProxy-Connection: x\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n',
      ),
    );
    const reply = await handle(handler);
    expect(reply.status).toBe(200);
    expect(reply.fields).toEqual([
      'Date',
      'Thu, 01 Jan 1970 00:00:00 GMT',
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
    ]);
    expect(reply.body?.kind).toBe('bytes');
    expect(await readText(reply)).toBe('hi');
  });

  test('V26: has no say inside the site', async () => {
    const { handler } = await startRaw(
      answer('', 'X-Accel-Redirect: /secret\r\nx-accel-expires: 5\r\nX-Sendfile: /etc/passwd\r\n'),
    );
    expect((await handle(handler)).fields).toEqual([]);
  });

  test('to HEAD announces the length that a GET would have', async () => {
    const { handler } = await startRaw('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n');
    const { body } = await handle(handler, { method: 'HEAD' });
    expect(body?.kind === 'stream' && body.source.length).toBe(1234);
  });

  test('304 has no body', async () => {
    const { handler } = await startRaw('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n');
    const reply = await handle(handler);
    expect([reply.status, reply.fields]).toEqual([304, ['ETag', '"a"']]);
    expect(await readText(reply)).toBe('');
  });

  test('that is long is streamed, whole', async () => {
    const chunk = Buffer.alloc(100_000, 'x');
    const handler = await bench.startNode((_, response) => {
      for (let i = 0; i < 50; i++) response.write(chunk);
      response.end();
    });
    const reply = await handle(handler);
    expect(reply.body?.kind).toBe('stream');
    expect((await readText(reply)).length).toBe(5_000_000);
  });

  test('V38: that is malformed is a 502 whose detail stays here', async () => {
    const { handler, peer } = await startRaw(
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nsecret',
    );
    const exchange = createExchange();
    const error = await handle(handler, exchange).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({
      code: 'TSS_UPSTREAM_RESPONSE',
      status: 502,
      detail: expect.stringContaining(`${peer.url.slice(7)}: head: both Content-Length and`),
    });
    expect(exchange.upstreamStatus).toBe('502');
  });
});

describe('T6: a request body', () => {
  const big = Buffer.alloc(65536, 'y');
  test.each<[string, PieceSource | undefined, number]>([
    ['of 0 B', undefined, 0],
    ['of 1 B', new PieceSource(1, [Buffer.from('y')]), 1],
    ['{}', new PieceSource(2, [Buffer.from('{}')]), 2],
    ['of 10 MB', new PieceSource(160 * big.length, Array(160).fill(big)), 160 * big.length],
    ['of 10 MB, chunked', new PieceSource(null, Array(160).fill(big), 0), 160 * big.length],
  ])('%s comes back as it went', async (_, body, length) => {
    const handler = await bench.startNode((request, response) => {
      request.pipe(response);
    });
    const ask = { method: 'POST', ...(body === undefined ? {} : { body }) };
    const text = await readText(await handle(handler, ask));
    expect(text.length).toBe(length);
    if (length > 2) expect(text).toBe('y'.repeat(length));
  });

  test.each(['GET', 'DELETE', 'OPTIONS'])('V2: of %s keeps its framing', async (method) => {
    const handler = await bench.startNode((request, response) => {
      const chunks: string[] = [String(request.headers['transfer-encoding'])];
      request.on('data', (chunk) => chunks.push(String(chunk)));
      request.on('end', () => response.end(chunks.join('|')));
    });
    const smuggled = 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n';
    for (let i = 0; i < 3; i++) {
      const body = new PieceSource(null, [Buffer.from(smuggled)]);
      expect(await readText(await handle(handler, { method, body }))).toBe(`chunked|${smuggled}`);
    }
  });

  test('that the client does not complete ends with the client’s own error', async () => {
    const handler = await bench.startNode((request) => request.resume());
    const tooLarge = new HttpError('TSS_BODY_TOO_LARGE', 'a test');
    const body = new PieceSource(null, [Buffer.from('a'), tooLarge], 1);
    await expect(handle(handler, { method: 'POST', body })).rejects.toBe(tooLarge);
  });

  test('T7: that the upstream does not want does not hide its answer', async () => {
    const url = await bench.listen((_, response) => {
      response.writeHead(413, { Connection: 'close' });
      response.end('too large');
    });
    const handler = bench.create(bench.around.createUpstream({ servers: [url] }));
    for (let i = 0; i < 20; i++) {
      const body = new PieceSource(null, Array(200).fill(Buffer.alloc(20_000)), 0);
      const reply = await handle(handler, { method: 'POST', body });
      expect(reply.status).toBe(413);
      expect(await readText(reply)).toBe('too large');
      await waitUntil(() => body.cancelled);
    }
  });
});

describe('T5: a stream of events', () => {
  test('passes each event on as it comes', async () => {
    let tell: (text: string) => void = () => {};
    const handler = await bench.startNode((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      tell = (text) => response.write(text);
    });
    const exchange = createExchange();
    const { body, fields } = await handle(handler, exchange);
    expect(getField(fields, 'content-type')).toBe('text/event-stream');
    if (body?.kind !== 'stream') throw new Error('no stream');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      const next = new Promise((resolve) => body.source.read((_, chunk) => resolve(String(chunk))));
      tell(event);
      expect(await next).toBe(event);
    }
    exchange.onAbort?.();
  });

  test('T3: ends at the upstream when the client leaves', async () => {
    let open = 0;
    const url = await bench.listen((_, response) => {
      open++;
      response.on('close', () => open--);
      response.write('data: 1\n\n');
    });
    const upstream = bench.around.createUpstream({ servers: [url] });
    const handler = bench.create(upstream);
    const exchanges = Array.from({ length: 50 }, () => createExchange());
    await Promise.all(exchanges.map((exchange) => handle(handler, exchange)));
    expect(open).toBe(50);
    expect(upstream.snapshot()[0].inFlight).toBe(50);
    for (const exchange of exchanges) exchange.onAbort?.();
    expect(upstream.snapshot()[0].inFlight).toBe(0);
    await waitUntil(() => open === 0);
  });

  test('that is cut ends as cut', async () => {
    const handler = await bench.startNode((_, response) => {
      response.write('half');
      setTimeout(() => response.destroy(), 10);
    });
    const { body } = await handle(handler);
    if (body?.kind !== 'stream') throw new Error('no stream');
    await expect(readAll(body.source)).rejects.toMatchObject({ code: 'TSS_UPSTREAM_CLOSED' });
  });
});

test('T3: a client that leaves before the answer frees the upstream', async () => {
  let closed = 0;
  const url = await bench.listen((request) => request.on('close', () => closed++));
  const upstream = bench.around.createUpstream({ servers: [url] });
  const handler = bench.create(upstream);
  const exchange = createExchange();
  const running = handle(handler, exchange);
  await pause(20);
  exchange.onAbort?.();
  await expect(running).rejects.toMatchObject({ code: 'TSS_CLIENT_CLOSED' });
  await waitUntil(() => closed === 1);
  expect(upstream.snapshot()[0]).toMatchObject({ inFlight: 0, failures: 0 });
});

describe('V4, V38: what an upstream adds to its answer', () => {
  test('never reaches the next client', async () => {
    const { handler, peer } = await startRaw(answer('mine') + answer('poison'));
    for (let i = 0; i < 20; i++) expect(await readText(await handle(handler))).toBe('mine');
    expect(peer.sockets).toHaveLength(20);
  });

  test('later, on an idle connection, neither', async () => {
    const { handler, peer } = await startRaw(answer('mine'));
    for (let i = 0; i < 10; i++) {
      expect(await readText(await handle(handler))).toBe('mine');
      peer.sockets.at(-1)?.write(answer('poison'));
      await pause(8);
    }
  });
});

test('V3: an Upgrade to anything else is an ordinary request', async () => {
  const handler = await bench.startMirror();
  for (const upgrade of ['h2c', 'websocket, h2c', 'TLS/1.0']) {
    const reply = await handle(handler, {
      fields: [
        'Host',
        'a',
        'Connection',
        'Upgrade, HTTP2-Settings',
        'Upgrade',
        upgrade,
        'HTTP2-Settings',
        'AAA',
      ],
    });
    expect(reply.status).toBe(200);
    expect((await readText(reply)).toLowerCase()).not.toMatch(/upgrade|http2/);
  }
});

test('an upstream without a live server is a 503, a dead one a 502, a slow one a 504', async () => {
  const dead = bench.around.createUpstream({ servers: [await bench.around.findDeadUrl()] });
  await expect(handle(bench.create(dead))).rejects.toMatchObject({
    status: 502,
    code: 'TSS_UPSTREAM_CONNECT',
  });
  const slow = bench.around.createUpstream({
    servers: [await bench.listen(() => {})],
    timeouts: { read: '50ms' },
  });
  await expect(handle(bench.create(slow))).rejects.toMatchObject({
    status: 504,
    code: 'TSS_UPSTREAM_TIMEOUT',
  });
  const failed = bench.around.createUpstream({
    servers: [{ url: await bench.around.findDeadUrl(), down: true }],
  });
  await expect(handle(bench.create(failed))).rejects.toMatchObject({
    status: 503,
    code: 'TSS_UPSTREAM_UNAVAILABLE',
  });
});
