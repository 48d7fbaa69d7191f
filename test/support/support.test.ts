// The tools of the tests, tried against plain node servers: a tool that sees no failure would hide them all.

import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { cleanUpLater } from './clean-up.ts';
import { runLoad } from './load.ts';
import { startNodeUpstream } from './node-upstream.ts';
import { parseReplies, readField } from './parse-replies.ts';
import { exchangeBytes, openRawSocket } from './raw-socket.ts';
import { startProcess } from './run-tsserve.ts';

async function startRawServer(onRequest: (socket: Socket, serial: number) => void): Promise<number> {
  let serial = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => onRequest(socket, ++serial));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => server.close());
  return (server.address() as { port: number }).port;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('parseReplies', () => {
  test('reads lengths, chunks, HEAD, 304 and a body that the end of the connection ends', () => {
    const bytes = Buffer.from(
      [
        ok,
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
        'HTTP/1.1 100 Continue\r\n\r\n',
        'HTTP/1.0 200 OK\r\n\r\nrest',
      ].join(''),
    );
    const replies = parseReplies(bytes, ['GET', 'HEAD', 'GET', 'GET', 'GET']);
    expect(replies.map((reply) => [reply.status, reply.body.toString(), reply.complete])).toEqual([
      [200, 'ok', true],
      [200, '', true],
      [304, '', true],
      [200, 'abc', true],
      [100, '', true],
      [200, 'rest', true],
    ]);
  });

  test.each([
    ['a length that is cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc'],
    ['chunks without the last one', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ])('knows that a body is not complete: %s', (_, text) => {
    expect(parseReplies(Buffer.from(text))[0]).toMatchObject({ complete: false, body: Buffer.from('abc') });
  });

  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde'],
    [
      'length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a bare LF in the head', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nabcde'],
    ['bytes after a body', `${ok}surplus\r\n\r\n`],
    [
      'a chunk of the wrong size',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n',
    ],
  ])('throws at %s', (_, text) => {
    expect(() => parseReplies(Buffer.from(text))).toThrow();
  });
});

describe('runLoad', () => {
  test('counts answers by status and by field', async () => {
    const upstream = await startNodeUpstream('a');
    const result = await runLoad({
      port: upstream.port,
      requests: 200,
      connections: 4,
      countField: 'x-upstream',
    });
    expect(result).toMatchObject({ statuses: { 200: 200 }, failures: [], counts: { a: 200 } });
    expect(upstream.requestCount).toBe(200);
  });

  test('reports a request whose connection is cut as a failure, once', async () => {
    const port = await startRawServer((socket, serial) => {
      if (serial === 5) socket.destroy();
      else if (serial === 7) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc');
      else socket.write(ok);
    });
    const result = await runLoad({ port, requests: 10, connections: 1 });
    expect(result.statuses).toEqual({ 200: 8 });
    expect(result.failures).toHaveLength(2);
  });

  test('ends when nobody listens, with a failure for each request', async () => {
    const upstream = await startNodeUpstream('a');
    await upstream.stop();
    const result = await runLoad({ port: upstream.port, requests: 10, connections: 2 });
    expect(result.failures).toHaveLength(10);
  });

  test('opens a new connection after an answer that closes its own', async () => {
    const upstream = await startNodeUpstream('a', (_, response) =>
      response.setHeader('Connection', 'close').end(),
    );
    const result = await runLoad({ port: upstream.port, requests: 5, connections: 1 });
    expect(result).toMatchObject({ statuses: { 200: 5 }, failures: [] });
  });
});

describe('startNodeUpstream', () => {
  test('stops, and starts again on the same port', async () => {
    const upstream = await startNodeUpstream('a');
    await upstream.stop();
    await expect(fetch(upstream.url)).rejects.toThrow();
    await upstream.start();
    expect(await (await fetch(upstream.url)).text()).toBe('a\n');
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('openRawSocket', () => {
  test('sends in parts and reads replies', async () => {
    const upstream = await startNodeUpstream('a');
    const raw = await openRawSocket(upstream.port);
    await raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n', { splitAt: [1, 5, 20] });
    const [reply] = await raw.readReplies(1);
    expect([reply.status, readField(reply, 'X-Upstream')]).toEqual([200, 'a']);
  });

  test('tells a reset from an end', async () => {
    const ends = await startRawServer((socket) => socket.end('bye'));
    const resets = await startRawServer((socket) => socket.resetAndDestroy());
    expect(await exchangeBytes(ends, 'x')).toEqual({ bytes: Buffer.from('bye'), closedBy: 'end' });
    expect((await exchangeBytes(resets, 'x')).closedBy).toBe('reset');
  });
});

describe('startProcess', () => {
  test('collects output and the way it ended', async () => {
    const running = startProcess([
      process.execPath,
      '-e',
      'console.log(1); console.error(2); process.exit(3)',
    ]);
    expect(await running.exit).toEqual({ code: 3, signal: null });
    expect([running.stdout, running.stderr, running.isRunning]).toEqual(['1\n', '2\n', false]);
  });

  test('throws when a process does not end in time, and ends it all the same', async () => {
    const script = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.error('up')";
    const running = startProcess([process.execPath, '-e', script]);
    await running.waitForStderr(/up/);
    await expect(running.stop('SIGTERM', 50)).rejects.toThrow('did not end within 50 ms');
    expect(running.isRunning).toBe(false);
  });
});
