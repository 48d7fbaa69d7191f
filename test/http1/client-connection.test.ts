import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { ClientFailure } from '../../src/message/client-failure.ts';
import type { ClientAddress } from '../../src/message/upstream-connection.ts';
import {
  Client,
  createRequest,
  type Peer,
  PieceSource,
  pause,
  readAll,
  readBody,
  startPeer,
  startScriptedPeer,
  waitUntil,
} from './client-peer.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function keep(peer: Peer): Peer {
  closers.push(() => peer.close());
  return peer;
}

function createClient(address: ClientAddress, connectTimeoutMs?: number, head?: number): Client {
  const client = new Client(address, connectTimeoutMs, head);
  closers.push(() => client.close());
  return client;
}

/** Runs a peer in a thread of its own, so that it goes on while this one is blocked. Its first message is the port. */
function runPeer(code: string, workerData?: Int32Array): Promise<number> {
  const start =
    "const { createServer } = require('node:net'); const { parentPort } = require('node:worker_threads');";
  const worker = new Worker(start + code, { eval: true, workerData });
  closers.push(() => worker.terminate());
  return new Promise((resolve) => worker.once('message', resolve));
}

const plain = (body: string, fields = '') =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

describe('a connection', () => {
  test('carries one request after another', async () => {
    const peer = keep(await startScriptedPeer(plain('one'), plain('two'), plain('three')));
    const client = createClient(peer.address);
    for (const body of ['one', 'two', 'three']) {
      const { response } = await client.send();
      expect(response?.body?.kind).toBe('bytes');
      expect(await readBody(response)).toBe(body);
    }
    expect(client.events).toEqual(['idle', 'idle', 'idle']);
    expect(client.ends).toBe(3);
    expect(peer.sockets).toHaveLength(1);
  });

  test('goes over a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsserve-client-'));
    const server = createServer((socket) => socket.once('data', () => socket.write(plain('unix'))));
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    closers.push(() => rmSync(folder, { recursive: true }));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const client = createClient({ path: join(folder, 's') });
    expect(await readBody((await client.send()).response)).toBe('unix');
  });

  test('tells how long the peer waits for the next request', async () => {
    const peer = keep(await startScriptedPeer(plain('x', 'Keep-Alive: timeout=5\r\n')));
    const client = createClient(peer.address);
    await client.send();
    expect(client.events).toEqual(['idle 5000']);
  });

  test('tells it behind a body whose reader asks for no end', async () => {
    const peer = keep(
      await startPeer((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 2\r\n\r\na');
          setTimeout(() => socket.write('b'), 10);
        }),
      ),
    );
    const client = createClient(peer.address);
    const { response } = await client.send();
    const body = response?.body;
    if (body?.kind !== 'stream') throw new Error('no stream');
    body.source.read(() => {});
    await new Promise<void>((resolve) =>
      body.source.read(() => {
        body.source.cancel();
        resolve();
      }),
    );
    await waitUntil(() => client.events.length > 0);
    expect(client.events).toEqual(['idle 2000']);
  });

  test.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])(
    'V4: is closed after a 204 with %s',
    async (field) => {
      const peer = keep(await startScriptedPeer(`HTTP/1.1 204 No Content\r\n${field}\r\n\r\n`));
      const client = createClient(peer.address);
      expect((await client.send()).response?.status).toBe(204);
      expect(client.events).toEqual(['closed']);
    },
  );

  test('is closed after a response that says so, or that ends with it', async () => {
    for (const answer of [
      plain('x', 'Connection: close\r\n'),
      'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx',
    ]) {
      const peer = keep(await startScriptedPeer(answer));
      const client = createClient(peer.address);
      expect(await readBody((await client.send()).response)).toBe('x');
      expect(client.events).toEqual(['closed']);
    }
  });

  test('gives the announced length of a body that HEAD leaves out', async () => {
    const peer = keep(
      await startScriptedPeer('HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n', plain('next')),
    );
    const client = createClient(peer.address);
    const { response } = await client.send({ method: 'HEAD' });
    const body = response?.body;
    expect(body?.kind === 'stream' && body.source.length).toBe(123);
    expect(await readBody(response)).toBe('');
    expect(await readBody((await client.send()).response)).toBe('next');
  });

  test('closes itself when it was parked and nobody came', async () => {
    const peer = keep(await startScriptedPeer(plain('x')));
    const client = createClient(peer.address);
    await client.send();
    client.connection.park(30);
    await waitUntil(() => client.events.includes('closed'));
    expect(client.events).toEqual(['idle', 'closed']);
  });
});

describe('a request body', () => {
  async function startEcho() {
    const server = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const framing = request.headers['transfer-encoding'] ?? request.headers['content-length'] ?? 'none';
        response.end(`${framing}|${body.length}|${body.subarray(0, 20).toString('latin1')}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const bound = server.address();
    return createClient({ host: '127.0.0.1', port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 });
  }

  const big = Buffer.alloc(64 * 1024, 'b');

  test.each<[string, PieceSource, string]>([
    ['1 B', new PieceSource(1, [Buffer.from('x')]), '1|1|x'],
    ['{}', new PieceSource(2, [Buffer.from('{}')]), '2|2|{}'],
    ['in late pieces', new PieceSource(4, [Buffer.from('ab'), Buffer.from('cd')], 2), '4|4|abcd'],
    [
      '10 MB',
      new PieceSource(160 * big.length, Array(160).fill(big)),
      `${160 * big.length}|${160 * big.length}|${'b'.repeat(20)}`,
    ],
    [
      'chunked',
      new PieceSource(null, [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')]),
      'chunked|3|abc',
    ],
    ['chunked and late', new PieceSource(null, [Buffer.from('ab'), Buffer.from('c')], 2), 'chunked|3|abc'],
    ['chunked and empty', new PieceSource(null, []), 'chunked|0|'],
    [
      '10 MB chunked',
      new PieceSource(null, Array(160).fill(big)),
      `chunked|${160 * big.length}|${'b'.repeat(20)}`,
    ],
  ])('T6: of %s arrives as it was', async (_, body, expected) => {
    const client = await startEcho();
    expect(await readBody((await client.send({ method: 'POST', body })).response)).toBe(expected);
    expect(client.events.at(-1)).toMatch(/^idle/);
  });

  test.each([
    ['POST', '0|0|'],
    ['GET', 'none|0|'],
    ['DELETE', 'none|0|'],
  ])('that is none is framed for %s as RFC 9110 8.6 says', async (method, expected) => {
    const client = await startEcho();
    expect(await readBody((await client.send({ method })).response)).toBe(expected);
  });

  test('is pulled only as fast as the peer takes it', async () => {
    const peer = keep(await startPeer((socket) => socket.pause()));
    const client = createClient(peer.address);
    const body = new PieceSource(null, Array(2000).fill(big));
    client.connection.send(createRequest({ method: 'POST', body, sendTimeoutMs: 0 }), {
      onResponse: () => {},
      onFailure: () => {},
      onEnd: () => {},
    });
    await pause(150);
    const { reads } = body;
    expect(reads).toBeGreaterThan(1);
    expect(reads).toBeLessThan(400);
    await pause(50);
    expect(body.reads).toBe(reads);
  });

  test('that fails ends the request with its own error', async () => {
    const peer = keep(await startPeer((socket) => socket.resume()));
    const client = createClient(peer.address);
    const lost = new Error('the client is gone');
    const body = new PieceSource(10, [Buffer.from('abc'), lost], 2);
    expect((await client.send({ method: 'POST', body })).failure).toBe(lost);
    expect(client.events).toEqual(['closed']);
  });

  test.each([
    ['longer', ['abc', 'def']],
    ['shorter', ['a']],
  ])('that is %s than announced is never completed', async (_, pieces) => {
    let seen = '';
    const peer = keep(await startPeer((socket) => socket.on('data', (data) => (seen += data))));
    const client = createClient(peer.address);
    const body = new PieceSource(
      4,
      pieces.map((piece) => Buffer.from(piece)),
      1,
    );
    expect((await client.send({ method: 'POST', body })).failure?.message).toMatch('length');
    await pause(10);
    expect(seen.split('\r\n\r\n')[1].length).toBeLessThan(4);
    expect(client.events).toEqual(['closed']);
  });

  test('T7: that nobody waited for does not hold back an early response', async () => {
    const peer = keep(
      await startPeer((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')),
      ),
    );
    const client = createClient(peer.address);
    const body = new PieceSource(null, Array(1000).fill(Buffer.alloc(1000)), 3);
    const { response } = await client.send({ method: 'POST', body });
    expect(response?.status).toBe(413);
    expect(await readBody(response)).toBe('big');
    expect(body.cancelled).toBe(true);
    expect(client.events).toEqual(['closed']);
  });

  test('goes on while its response already comes', async () => {
    const peer = keep(
      await startPeer((socket) => {
        socket.once('data', () =>
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n>\r\n'),
        );
        socket.on('data', (data) => {
          if (data.toString().endsWith('0\r\n\r\n')) socket.write('1\r\n.\r\n0\r\n\r\n');
        });
      }),
    );
    const client = createClient(peer.address);
    const body = new PieceSource(null, [Buffer.from('a'), Buffer.from('b')], 20);
    expect(await readBody((await client.send({ method: 'POST', body })).response)).toBe('>.');
    expect(client.events).toEqual(['idle']);
  });
});

describe('a response body', () => {
  test('is read only as fast as it is asked for', async () => {
    let written = 0;
    const peer = keep(
      await startPeer((socket) => {
        const fill = () => {
          while (written < 64 * 1024 * 1024) {
            written += 65536;
            if (!socket.write(Buffer.alloc(65536))) return;
          }
        };
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
          socket.on('drain', fill);
          fill();
        });
      }),
    );
    const client = createClient(peer.address);
    const { response } = await client.send({ readTimeoutMs: 100 });
    await pause(250);
    expect(written).toBeLessThan(16 * 1024 * 1024);
    const body = response?.body;
    if (body?.kind !== 'stream') throw new Error('no stream');
    expect((await readAll(body.source)).length).toBe(64 * 1024 * 1024);
    expect(client.events).toEqual(['idle']);
    expect(client.ends).toBe(1);
  });

  test('that is cancelled closes the connection', async () => {
    const peer = keep(await startScriptedPeer('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    const client = createClient(peer.address);
    const { response } = await client.send();
    const body = response?.body;
    if (body?.kind !== 'stream') throw new Error('no stream');
    body.source.cancel();
    body.source.cancel();
    expect(client.events).toEqual(['closed']);
    expect(client.ends).toBe(1);
  });

  test.each([
    ['a length', 'Content-Length: 100\r\n\r\nhalf'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('T5: with %s that is cut ends with an error, behind what had come', async (_, rest) => {
    const peer = keep(
      await startPeer((socket) => socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`))),
    );
    const client = createClient(peer.address);
    const { response } = await client.send();
    const body = response?.body;
    if (body?.kind !== 'stream') throw new Error('no stream');
    const { source } = body;
    await pause(10);
    const first = await new Promise((resolve) => source.read((_, chunk) => resolve(String(chunk))));
    expect(first).toBe('half');
    await expect(readAll(source)).rejects.toMatchObject({
      code: 'TSS_UPSTREAM_CLOSED',
      facts: { phase: 'body' },
    });
    expect(client.ends).toBe(1);
  });

  test('T5: without a length that is reset ends with an error', async () => {
    const peer = keep(
      await startPeer((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
          setTimeout(() => socket.resetAndDestroy(), 20);
        }),
      ),
    );
    const { response } = await createClient(peer.address).send();
    await expect(readBody(response)).rejects.toMatchObject({ facts: { errno: 'ECONNRESET', phase: 'body' } });
  });

  test('without a length ends with the connection', async () => {
    const peer = keep(
      await startPeer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall'))),
    );
    const client = createClient(peer.address);
    expect(await readBody((await client.send()).response)).toBe('all');
    expect(client.events).toEqual(['closed']);
    expect(client.ends).toBe(1);
  });

  test('that stalls times out', async () => {
    const peer = keep(await startScriptedPeer('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    const { response } = await createClient(peer.address).send({ readTimeoutMs: 50 });
    await expect(readBody(response)).rejects.toMatchObject({ code: 'TSS_UPSTREAM_TIMEOUT' });
  });
});

describe('a failure', () => {
  test('to connect names the address and the error', async () => {
    const peer = await startScriptedPeer();
    await peer.close();
    const facts = await createClient(peer.address).fail();
    expect(facts).toMatchObject({
      code: 'TSS_UPSTREAM_CONNECT',
      phase: 'connect',
      cause: 'cut',
      requestWritten: false,
      responseStarted: false,
      reused: false,
      errno: 'ECONNREFUSED',
    });
    expect(facts.detail).toContain(`127.0.0.1:${peer.address.port}`);
  });

  test('T17: to connect to a name lists each of its addresses', async () => {
    const peer = await startScriptedPeer();
    await peer.close();
    const { detail } = await createClient({ host: 'localhost', port: peer.address.port }).fail();
    expect(detail).toContain(`ECONNREFUSED 127.0.0.1:${peer.address.port}`);
  });

  test('T17: of one address of a name is none while another answers', async () => {
    const peer = keep(await startScriptedPeer(plain('found')));
    const client = createClient({ host: 'localhost', port: peer.address.port });
    expect(await readBody((await client.send()).response)).toBe('found');
  });

  test('to connect in time is told from a refusal', async () => {
    // A peer that never accepts: once its backlog is full, the kernel drops what else knocks.
    const port = await runPeer(`
      const server = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
        parentPort.postMessage(server.address().port);
        setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 1);
      });`);
    await pause(20);
    for (let i = 0; i < 4; i++) {
      const filler = connect(port, '127.0.0.1').on('error', () => {});
      closers.push(() => filler.destroy());
    }
    await pause(20);
    expect(await createClient({ host: '127.0.0.1', port }, 60).fail()).toMatchObject({
      code: 'TSS_UPSTREAM_CONNECT_TIMEOUT',
      phase: 'connect',
      cause: 'timeout',
      requestWritten: false,
    });
  });

  test.each<[string, (peer: Peer) => void, object]>([
    ['by reset', (peer) => peer.sockets[0].resetAndDestroy(), { errno: 'ECONNRESET' }],
    ['by a plain end', (peer) => peer.sockets[0].end(), { errno: '' }],
  ])('before the head, %s, tells that the request had left', async (_, cut, expected) => {
    let asked = false;
    const peer = keep(
      await startPeer((socket) =>
        socket.once('data', () => {
          asked = true;
        }),
      ),
    );
    const client = createClient(peer.address);
    const failed = client.fail();
    await waitUntil(() => asked);
    cut(peer);
    expect(await failed).toMatchObject({
      code: 'TSS_UPSTREAM_CLOSED',
      phase: 'head',
      requestWritten: true,
      responseStarted: false,
      reused: false,
      ...expected,
    });
    expect(client.events).toEqual(['closed']);
  });

  test('inside the head tells that a response had begun', async () => {
    const peer = keep(
      await startPeer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nX'))),
    );
    expect(await createClient(peer.address).fail()).toMatchObject({
      code: 'TSS_UPSTREAM_CLOSED',
      responseStarted: true,
    });
  });

  test('of a connection that had served before is told as such', async () => {
    const peer = keep(
      await startPeer((socket) => {
        socket.once('data', () => {
          socket.write(plain('x'));
          socket.once('data', () => socket.resetAndDestroy());
        });
      }),
    );
    const client = createClient(peer.address);
    await client.send();
    expect(await client.fail()).toMatchObject({ reused: true, responseStarted: false, requestWritten: true });
  });

  test('V38: of a malformed response names what was wrong, and the connection is gone', async () => {
    const peer = keep(
      await startScriptedPeer('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy'),
    );
    const client = createClient(peer.address);
    expect(await client.fail()).toMatchObject({
      code: 'TSS_UPSTREAM_RESPONSE',
      cause: 'response',
      responseStarted: true,
      detail: expect.stringContaining('two Content-Length'),
    });
    expect(client.events).toEqual(['closed']);
  });

  test('to answer in time is a timeout', async () => {
    const peer = keep(await startScriptedPeer());
    expect(await createClient(peer.address).fail({ readTimeoutMs: 40 })).toMatchObject({
      code: 'TSS_UPSTREAM_TIMEOUT',
      phase: 'head',
      requestWritten: true,
    });
  });

  test('to take up a request in time is a timeout too', async () => {
    const peer = keep(await startPeer((socket) => socket.pause()));
    const body = new PieceSource(null, Array(2000).fill(Buffer.alloc(65536)));
    expect(await createClient(peer.address).fail({ method: 'POST', body, sendTimeoutMs: 60 })).toMatchObject({
      code: 'TSS_UPSTREAM_TIMEOUT',
      phase: 'send',
    });
    expect(body.cancelled).toBe(true);
  });

  test('is not told after an abort', async () => {
    const peer = keep(await startScriptedPeer());
    const client = createClient(peer.address);
    const told: string[] = [];
    client.connection.send(createRequest(), {
      onResponse: () => told.push('response'),
      onFailure: () => told.push('failure'),
      onEnd: () => told.push('end'),
    });
    await waitUntil(() => peer.sockets.length === 1);
    client.connection.abort();
    client.connection.abort();
    await pause(20);
    expect(told).toEqual([]);
    expect(client.events).toEqual(['closed']);
  });
});

describe('V4: bytes that no request asked for', () => {
  test('behind a response close the connection, and nobody sees them', async () => {
    const peer = keep(await startScriptedPeer(`${plain('mine')}${plain('poison')}`));
    const client = createClient(peer.address);
    expect(await readBody((await client.send()).response)).toBe('mine');
    expect(client.events).toEqual(['closed']);
  });

  test.each(['HEAD', 'GET'])('as the body of an answer to %s that has none reach nobody', async (method) => {
    const written = new Int32Array(new SharedArrayBuffer(4));
    const port = await runPeer(
      `const { workerData } = require('node:worker_threads');
      const server = createServer((socket) => socket.setNoDelay().once('data', () => {
        socket.write('HTTP/1.1 304 Not Modified\\r\\nContent-Length: 38\\r\\n\\r\\n');
        setTimeout(() => {
          socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n');
          Atomics.store(workerData, 0, 1);
        }, 2);
      }));
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
      written,
    );
    const client = createClient({ host: '127.0.0.1', port });
    await client.send({ method });
    // Blocked, so that nothing is read, until they are there: a few milliseconds.
    while (Atomics.load(written, 0) === 0);
    expect(await client.fail()).toMatchObject({ requestWritten: false });
  });

  test('on an idle connection close it', async () => {
    const peer = keep(await startScriptedPeer(plain('mine')));
    const client = createClient(peer.address);
    await client.send();
    peer.sockets[0].write(plain('poison'));
    await waitUntil(() => client.events.includes('closed'));
    expect(client.events).toEqual(['idle', 'closed']);
  });

  test('that came while the loop was busy are not taken for the answer', async () => {
    const port = await runPeer(`
      const answer = (body) => 'HTTP/1.1 200 OK\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body;
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write(answer('mine'));
          setTimeout(() => socket.write(answer('poison')), 50);
        });
      }).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`);
    const client = createClient({ host: '127.0.0.1', port });
    expect(await readBody((await client.send()).response)).toBe('mine');
    const endMs = performance.now() + 120;
    while (performance.now() < endMs);
    expect(await client.fail()).toMatchObject({ reused: true, requestWritten: false });
    expect(client.events).toEqual(['idle', 'closed']);
  });
});

test('a ClientFailure is an HttpError with the status of its code', async () => {
  const peer = keep(await startScriptedPeer('nonsense'));
  const { failure } = await createClient(peer.address).send();
  expect(failure).toBeInstanceOf(ClientFailure);
  expect((failure as ClientFailure).status).toBe(502);
});
