import { createServer, type Server } from 'node:http';
import { connect, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Exchange } from '../../../src/message/exchange.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { Reply } from '../../../src/message/reply.ts';
import { Peer as UpstreamPeer } from '../../../src/upstream/peer.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { type Peer, pause, startPeer, waitUntil } from '../../http1/client-peer.ts';
import { type Ask, createExchange, ProxyBench, type ProxyInput } from './proxy-fixture.ts';

let bench: ProxyBench;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  bench = new ProxyBench();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await bench.close();
});

/** A front that opens tunnels, in the manner of a protocol room: its port, and the exchanges it saw. */
async function startFront(
  handler: Handler,
): Promise<{ port: number; exchanges: Exchange[]; sockets: Set<Socket> }> {
  const exchanges: Exchange[] = [];
  const sockets = new Set<Socket>();
  const front: Server = createServer((_, response) => response.writeHead(500).end('no tunnel'));
  front.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  front.on('upgrade', async (request, socket, head) => {
    socket.on('error', () => {});
    const exchange = createExchange({ target: request.url ?? '', fields: request.rawHeaders });
    exchanges.push(exchange);
    const reply = await handler.handle(exchange);
    if (!(reply instanceof Reply) || reply.body?.kind !== 'tunnel') {
      socket.end(`HTTP/1.1 500 No Tunnel\r\n\r\n`);
      return;
    }
    exchange.status = reply.status;
    reply.body.open(socket, head);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    front.close();
  });
  const bound = front.address();
  return { port: typeof bound === 'object' ? (bound?.port ?? 0) : 0, exchanges, sockets };
}

/** An upstream that echoes messages, and the requests it got. */
async function startEcho() {
  const requests: { url: string; rawHeaders: string[] }[] = [];
  const sockets = new Set<Socket>();
  const url = await bench.listen(
    () => {},
    (server) => {
      const echo = new WebSocketServer({ server });
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      echo.on('connection', (socket, request) => {
        requests.push({ url: request.url ?? '', rawHeaders: request.rawHeaders });
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
        socket.on('error', () => {});
      });
      closers.push(() => {
        for (const socket of echo.clients) socket.terminate();
      });
    },
  );
  return { url, requests, sockets };
}

async function startRawPeer(onSocket: (socket: Socket) => void): Promise<Peer & { url: string }> {
  const peer = await startPeer(onSocket);
  closers.push(() => peer.close());
  return Object.assign(peer, { url: `http://127.0.0.1:${peer.address.port}` });
}

function createTunnelProxy(
  settings: object,
  proxy: ProxyInput = {},
): { handler: Handler; upstream: Upstream } {
  const upstream = bench.around.createUpstream(settings);
  return { handler: bench.create(upstream, proxy), upstream };
}

const handshake = (target = '/', fields = '') =>
  `GET ${target} HTTP/1.1\r\nHost: site.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`;

/** The accept value of that handshake's key (the example of RFC 6455 1.3). */
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** Writes bytes and reads until the other side ends or resets. */
function talk(port: number, text: string): Promise<{ text: string; reset: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (data) => {
      got += data.toString('latin1');
    });
    socket.on('error', () => resolve({ text: got, reset: true }));
    socket.on('close', () => resolve({ text: got, reset: false }));
    socket.write(text, 'latin1');
  });
}

describe('a WebSocket', () => {
  test('carries messages both ways, small and large', async () => {
    const echo = await startEcho();
    const { handler, upstream } = createTunnelProxy({ servers: [echo.url] });
    const { port, exchanges } = await startFront(handler);
    const client = new WebSocket(`ws://127.0.0.1:${port}/chat//x?a=%20`);
    await new Promise((resolve) => client.on('open', resolve));
    for (const message of ['hello', 'x'.repeat(3_000_000)]) {
      const answer = new Promise((resolve) => client.once('message', (data) => resolve(String(data))));
      client.send(message);
      expect(await answer).toBe(message);
    }
    expect(upstream.snapshot()[0].inFlight).toBe(1);
    client.close();
    await new Promise((resolve) => client.on('close', resolve));
    await waitUntil(() => echo.sockets.size === 0 && upstream.snapshot()[0].inFlight === 0);
    expect(echo.requests[0].url).toBe('/chat//x?a=%20');
    expect(exchanges[0]).toMatchObject({ upstreamAddress: echo.url.slice(7), upstreamStatus: '101' });
    expect(exchanges[0].upstreamTime).toMatch(/^\d+\.\d{3}$/);
  });

  test('T18, V23, V24, V25: brings the upstream only fields that we stand for', async () => {
    const echo = await startEcho();
    const { port } = await startFront(createTunnelProxy({ servers: [echo.url] }).handler);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, {
      headers: {
        'X-Forwarded-For': '1.1.1.1',
        'X-Real-IP': '1.1.1.1',
        Remote_User: 'admin',
        Proxy: 'http://evil',
        'X-Accel-Redirect': '/x',
        Cookie: 'a=1',
        'Sec-WebSocket-Protocol': 'chat',
      },
    });
    client.on('error', () => {});
    await waitUntil(() => echo.requests.length === 1);
    const { rawHeaders } = echo.requests[0];
    const read = (name: string) => {
      const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1].toLowerCase() === name);
      return values.join();
    };
    expect(read('x-forwarded-for')).toBe('203.0.113.9');
    expect(read('x-real-ip')).toBe('203.0.113.9');
    expect(read('x-forwarded-proto')).toBe('http');
    expect(read('cookie')).toBe('a=1');
    expect(read('sec-websocket-protocol')).toBe('chat');
    expect(read('host')).toBe(`127.0.0.1:${port}`);
    expect(['remote_user', 'proxy', 'x-accel-redirect'].map(read)).toEqual(['', '', '']);
    client.terminate();
  });

  test('goes to a unix socket or to the next peer when one is dead', async () => {
    const echo = await startEcho();
    const dead = await bench.around.findDeadUrl();
    const { handler, upstream } = createTunnelProxy({
      servers: [dead, 'unix:/nonexistent/app.sock', echo.url],
    });
    const { port, exchanges } = await startFront(handler);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    await new Promise((resolve) => client.on('open', resolve));
    expect(exchanges[0].upstreamStatus).toBe('502, 502, 101');
    expect(upstream.snapshot().map(({ state }) => state)).toEqual(['out', 'out', 'up']);
    client.terminate();
    await waitUntil(() => upstream.snapshot().every(({ inFlight }) => inFlight === 0));
  });

  test('keeps what came with the handshake for the upstream', async () => {
    const peer = await startRawPeer((socket) => {
      let got = '';
      socket.on('data', (data) => {
        got += data.toString('latin1');
        if (got.endsWith('\r\n\r\n')) {
          socket.write(
            `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: ${accept}\r\nX-Accel-Redirect: /x\r\nServer: inner\r\n\r\nfirst`,
          );
        } else if (got.endsWith('early')) socket.end(' last');
      });
    });
    const { port } = await startFront(createTunnelProxy({ servers: [peer.url] }).handler);
    const { text } = await talk(port, `${handshake()}early`);
    expect(text).toMatch(/^HTTP\/1\.1 101 /);
    expect(text.toLowerCase()).not.toMatch(/x-accel|server:/);
    expect(text).toContain(`sec-websocket-accept: ${accept}`);
    expect(text.split('\r\n\r\n')[1]).toBe('first last');
  });

  test.each<[string, (client: WebSocket, upstream: Set<Socket>) => void]>([
    ['the client', (client) => client.terminate()],
    ['the upstream', (_, upstream) => [...upstream][0].destroy()],
    ['a reset of the upstream', (_, upstream) => [...upstream][0].resetAndDestroy()],
  ])('T4, T5: that is cut by %s is closed on both sides within a second', async (_, cut) => {
    const echo = await startEcho();
    const { handler, upstream } = createTunnelProxy({ servers: [echo.url] });
    const front = await startFront(handler);
    const client = new WebSocket(`ws://127.0.0.1:${front.port}/`);
    client.on('error', () => {});
    await new Promise((resolve) => client.on('open', resolve));
    const startMs = performance.now();
    cut(client, echo.sockets);
    await waitUntil(() => echo.sockets.size === 0 && front.sockets.size === 0);
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(upstream.snapshot()[0].inFlight).toBe(0);
  });

  test('T4: leaves no socket behind, however many were killed', async () => {
    const echo = await startEcho();
    const { handler, upstream } = createTunnelProxy({ servers: [echo.url] });
    const front = await startFront(handler);
    for (let round = 0; round < 10; round++) {
      const clients = Array.from({ length: 20 }, () => new WebSocket(`ws://127.0.0.1:${front.port}/`));
      for (const client of clients) client.on('error', () => {});
      // Some are killed in the handshake, some behind it.
      await pause(round);
      for (const client of clients) client.terminate();
    }
    await waitUntil(() => echo.sockets.size === 0 && front.sockets.size === 0);
    expect(upstream.snapshot()[0].inFlight).toBe(0);
  });
});

describe('V34: a WebSocket through which nothing goes', () => {
  test('is closed on both sides when its time is over, but not before', async () => {
    const echo = await startEcho();
    const { handler, upstream } = createTunnelProxy({ servers: [echo.url] }, { tunnelTimeout: '200ms' });
    const front = await startFront(handler);
    const client = new WebSocket(`ws://127.0.0.1:${front.port}/`);
    client.on('error', () => {});
    await new Promise((resolve) => client.on('open', resolve));
    const openedMs = performance.now();
    let echoed = 0;
    client.on('message', () => echoed++);
    // Three times its limit, during which something is said now and then.
    while (performance.now() - openedMs < 600) {
      client.send('still here');
      await pause(50);
    }
    expect(front.sockets.size).toBe(1);
    expect(echoed).toBeGreaterThan(0);
    const silentMs = performance.now();
    await waitUntil(() => echo.sockets.size === 0 && front.sockets.size === 0);
    expect(performance.now() - silentMs).toBeGreaterThan(100);
    expect(upstream.snapshot()[0].inFlight).toBe(0);
    expect(front.exchanges[0].abortedBy).toBe('server');
  });

  test('stays when it has no limit', async () => {
    const echo = await startEcho();
    const { handler } = createTunnelProxy({ servers: [echo.url] }, { tunnelTimeout: 0 });
    const front = await startFront(handler);
    const client = new WebSocket(`ws://127.0.0.1:${front.port}/`);
    await new Promise((resolve) => client.on('open', resolve));
    await pause(300);
    expect(front.sockets.size).toBe(1);
    client.terminate();
  });
});

describe('a handshake', () => {
  test('waits for an application that starts', async () => {
    const echo = await startEcho();
    const { handler } = createTunnelProxy({ app: import.meta.filename, timeouts: { connect: '2s' } });
    const { port } = await startFront(handler);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    const opened = new Promise((resolve) => client.on('open', resolve));
    await pause(150);
    const [host, peerPort] = echo.url.slice(7).split(':');
    bench.around.instances.set('test', 'running', [{ id: 'test#1', host, port: Number(peerPort) }]);
    await opened;
    client.terminate();
    await waitUntil(() => echo.sockets.size === 0);
  });

  test('waits no longer than a request, and not for one that has failed', async () => {
    const slow = createTunnelProxy({ app: import.meta.filename, timeouts: { connect: '100ms' } });
    expect((await talk((await startFront(slow.handler)).port, handshake())).text).toMatch(/^HTTP\/1\.1 503 /);
    bench.around.instances.set('test', 'failed', []);
    const failed = createTunnelProxy({ app: import.meta.filename, timeouts: { connect: '20s' } });
    expect((await talk((await startFront(failed.handler)).port, handshake())).text).toMatch(
      /^HTTP\/1\.1 503 /,
    );
  });

  test('that is given up while it waits is waited for no more', async () => {
    const { handler, upstream } = createTunnelProxy({
      app: import.meta.filename,
      timeouts: { connect: '20s' },
    });
    const leave = vi.spyOn(upstream, 'leave');
    const front = await startFront(handler);
    const client = connect(front.port, '127.0.0.1', () => client.write(handshake()));
    await pause(50);
    client.destroy();
    await waitUntil(() => front.sockets.size === 0);
    await waitUntil(() => leave.mock.calls.length > 0);
    const calls = leave.mock.calls.length;
    await pause(250);
    expect(leave.mock.calls.length).toBe(calls);
  });

  test('is tried on as many servers as a request is', async () => {
    const servers = [
      await bench.around.findDeadUrl(),
      await bench.around.findDeadUrl(),
      (await startEcho()).url,
    ];
    const { handler } = createTunnelProxy({ servers, retries: { tries: 2 } });
    const { port, exchanges } = await startFront(handler);
    expect((await talk(port, handshake())).text).toMatch(/^HTTP\/1\.1 502 /);
    expect(exchanges[0].upstreamStatus).toBe('502, 502');
  });

  test('V17: for which there is no socket left is a 503, and no failure of the peer', async () => {
    const servers = [(await startEcho()).url, (await startEcho()).url];
    const { handler, upstream } = createTunnelProxy({ servers });
    const { port, exchanges } = await startFront(handler);
    const full = vi.spyOn(UpstreamPeer.prototype, 'openSocket').mockImplementation(() => {
      const socket = Object.assign(new Socket(), { connecting: true });
      setImmediate(() => socket.destroy(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' })));
      return socket;
    });
    closers.push(() => full.mockRestore());

    expect((await talk(port, handshake())).text).toMatch(/^HTTP\/1\.1 503 /);
    expect(exchanges[0]).toMatchObject({ abortedBy: 'server', failure: { code: 'TSS_OVERLOADED' } });
    expect(upstream.snapshot().map(({ state, failures }) => [state, failures])).toEqual([
      ['up', 0],
      ['up', 0],
    ]);
  });
});

describe('T2: a handshake that fails', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['by a reset', (socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['by an end', (socket) => socket.once('data', () => socket.end())],
    ['by nonsense', (socket) => socket.once('data', () => socket.end('nonsense\r\n\r\n'))],
    [
      'by a 101 for another key',
      (socket) =>
        socket.once('data', () =>
          socket.write(
            'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n',
          ),
        ),
    ],
    [
      'V3: by a 101 to another protocol',
      (socket) =>
        socket.once('data', () =>
          socket.write(
            `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
          ),
        ),
    ],
  ])('%s is a well-formed 502 and a close', async (_, onSocket) => {
    const peer = await startRawPeer(onSocket);
    const { handler, upstream } = createTunnelProxy({ servers: [peer.url] });
    const { port, exchanges } = await startFront(handler);
    const { text, reset } = await talk(port, handshake());
    expect(text).toBe(
      'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n502 Bad Gateway\n',
    );
    expect(reset).toBe(false);
    expect(exchanges[0]).toMatchObject({ status: 502, upstreamStatus: '502', abortedBy: 'upstream' });
    expect(exchanges[0].failure?.message).toContain(peer.url.slice(7));
    expect(upstream.snapshot()[0].inFlight).toBe(0);
    await waitUntil(() => peer.sockets.every((socket) => socket.destroyed));
  });

  test('by a peer that closes says nothing about that peer', async () => {
    const peers = [1, 2].map(() => startRawPeer((socket) => socket.once('data', () => socket.destroy())));
    const servers = (await Promise.all(peers)).map(({ url }) => url);
    const { handler, upstream } = createTunnelProxy({ servers });
    const { port } = await startFront(handler);
    for (const _ of servers) expect((await talk(port, handshake())).text).toMatch(/^HTTP\/1\.1 502 /);
    expect(upstream.snapshot().map(({ state }) => state)).toEqual(['up', 'up']);
  });

  test('since no peer can be reached is a 502, since none is there a 503, since none answers a 504', async () => {
    const dead = createTunnelProxy({ servers: [await bench.around.findDeadUrl()] });
    expect((await talk((await startFront(dead.handler)).port, handshake())).text).toMatch(/^HTTP\/1\.1 502 /);
    const down = createTunnelProxy({ servers: [{ url: await bench.around.findDeadUrl(), down: true }] });
    expect((await talk((await startFront(down.handler)).port, handshake())).text).toMatch(/^HTTP\/1\.1 503 /);
    const peer = await startRawPeer((socket) => socket.resume());
    const slow = createTunnelProxy({ servers: [peer.url], timeouts: { read: '50ms' } });
    expect((await talk((await startFront(slow.handler)).port, handshake())).text).toMatch(/^HTTP\/1\.1 504 /);
    await waitUntil(() => peer.sockets.every((socket) => socket.destroyed));
  });

  test.each<[string, (client: Socket) => void]>([
    ['ends', (client) => client.end()],
    ['closes', (client) => client.destroy()],
    ['resets', (client) => client.resetAndDestroy()],
  ])('T4: by nobody is given up when the client %s', async (_, leave) => {
    const peer = await startRawPeer((socket) => socket.resume());
    const { handler, upstream } = createTunnelProxy({ servers: [peer.url] });
    const front = await startFront(handler);
    const client = connect(front.port, '127.0.0.1', () => client.write(`${handshake()}early`));
    client.on('error', () => {});
    await waitUntil(() => peer.sockets.length === 1);
    await pause(20);
    leave(client);
    await waitUntil(() => front.sockets.size === 0 && peer.sockets.every((socket) => socket.destroyed));
    expect(upstream.snapshot()[0].inFlight).toBe(0);
    client.destroy();
  });

  test('late keeps what the client sent before the answer, and holds up one that sends too much', async () => {
    const peer = await startRawPeer((socket) => {
      let got = 0;
      socket.on('data', (data) => {
        got += data.length;
        if (got === data.length) {
          setTimeout(
            () =>
              socket.write(
                `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
              ),
            50,
          );
          got = 0;
          socket.removeAllListeners('data').on('data', (more) => {
            got += more.length;
            if (got === 20_000_000) socket.end(' all');
          });
        }
      });
    });
    const { port } = await startFront(createTunnelProxy({ servers: [peer.url] }).handler);
    const { text } = await talk(port, handshake() + 'x'.repeat(20_000_000));
    expect(text.split('\r\n\r\n')[1]).toBe(' all');
  });

  test.each<[string, string, string]>([
    ['with a length', 'Content-Length: 2\r\n\r\nno', 'no'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n', 'no'],
    ['with nothing', 'Content-Length: 0\r\n\r\n', ''],
  ])('T4: by an answer %s gives the client that answer', async (_, rest, body) => {
    const peer = await startRawPeer((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 403 No\r\nX-A: 1\r\nServer: inner\r\n${rest}`));
    });
    const { port, exchanges } = await startFront(createTunnelProxy({ servers: [peer.url] }).handler);
    const { text, reset } = await talk(port, handshake());
    expect(text).toBe(`HTTP/1.1 403 No\r\nX-A: 1\r\nConnection: close\r\n\r\n${body}`);
    expect(reset).toBe(false);
    expect(exchanges[0]).toMatchObject({ status: 403, upstreamStatus: '403' });
    await waitUntil(() => peer.sockets.every((socket) => socket.destroyed));
  });

  test('T5: by an answer that is cut shows the client a cut', async () => {
    const peer = await startRawPeer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nhalf');
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const { port } = await startFront(createTunnelProxy({ servers: [peer.url] }).handler);
    expect((await talk(port, handshake())).reset).toBe(true);
  });
});

test.each<[string, Ask, string[]]>([
  ['another method', { method: 'POST' }, []],
  ['HTTP/1.0', { httpVersion: '1.0' }, []],
  ['another version', {}, ['Sec-WebSocket-Version', '8']],
  ['two versions', {}, ['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Version', '13']],
  ['a short key', {}, ['Sec-WebSocket-Key', 'AAAA']],
  ['a key that is no base64', {}, ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=!']],
  ['two protocols', {}, ['Upgrade', 'websocket, h2c']],
  ['no upgrade in Connection', {}, ['Connection', 'keep-alive']],
])('V3: a handshake with %s opens no tunnel', async (_, ask, changed) => {
  const handler = await bench.startMirror();
  const fields = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'];
  const whole = ['Host', 'a', ...fields, 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
  const opened = await handler.handle(createExchange({ fields: whole }));
  expect(opened instanceof Reply && opened.status).toBe(101);
  const kept = whole.filter((_, i) => !changed.includes(whole[i - (i % 2)]));
  const reply = await handler.handle(createExchange({ ...ask, fields: [...kept, ...changed] }));
  expect(reply instanceof Reply && reply.status).toBe(200);
});
