// What neither clients nor upstreams can talk the proxy into.

import { createServer, type Socket } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { type NodeUpstream, startNodeUpstream } from '../support/node-upstream.ts';
import { readField } from '../support/parse-replies.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

let upstream: NodeUpstream;
let server: StartedServer;
let behindProxy: StartedServer;

beforeAll(async () => {
  upstream = await startNodeUpstream('app', (request, response) => {
    if (request.url === '/accel') response.setHeader('X-Accel-Redirect', '/secret/file.txt');
    response.end(JSON.stringify([request.url, ...request.rawHeaders]));
  });
  const site = {
    workers: 1,
    upstreams: { app: { servers: [upstream.url] } },
    routes: [
      { path: '/', proxy: 'app' },
      { path: '/secret/', static: 'private' },
    ],
  };
  const files = { 'private/secret/file.txt': 'the secret' };
  server = await startServer(site, { files });
  // Written as an IPv4 range, in which the peer may be an IPv4-mapped IPv6 address.
  behindProxy = await startServer({ ...site, trustedProxies: ['127.0.0.0/8'] }, { files });
});

/** What the upstream got, by lower-case name. */
async function ask(to: StartedServer, lines: string[], target = '/'): Promise<Map<string, string[]>> {
  const raw = await openRawSocket(to.port);
  await raw.send([`GET ${target} HTTP/1.1`, 'Host: site.example', ...lines, '', ''].join('\r\n'));
  const [reply] = await raw.readReplies(1);
  raw.destroy();
  const [url, ...list] = JSON.parse(reply.body.toString()) as string[];
  const got = new Map<string, string[]>([['url', [url]]]);
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i].toLowerCase();
    got.set(name, [...(got.get(name) ?? []), list[i + 1]]);
  }
  return got;
}

/** Every name under which a client, or one that poses as a proxy, says where a request came from. */
const claims = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Server',
  'X-Forwarded-Scheme',
  'X-Forwarded',
  'Forwarded',
  'X-Real-IP',
  'X-Original-URL',
  'X-Original-Host',
  'X-Rewrite-URL',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'Fastly-Client-IP',
  'Client-IP',
];

describe('V23: a client that says where it comes from', () => {
  test.each(claims)('is not believed: %s', async (name) => {
    const got = await ask(server, [`${name}: forged`, `${name.toLowerCase()}: forged, twice`]);
    expect(JSON.stringify([...got])).not.toContain('forged');
    expect(got.get('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(got.get('x-real-ip')).toEqual(['127.0.0.1']);
    expect(got.get('x-forwarded-host')).toEqual(['site.example']);
  });

  test('is believed when it is a proxy that is trusted, as far as trust reaches', async () => {
    const got = await ask(behindProxy, [
      'X-Forwarded-For: 1.1.1.1, 198.51.100.7, ::ffff:127.0.0.9',
      'X-Forwarded-Proto: https',
    ]);
    expect(got.get('x-real-ip')).toEqual(['198.51.100.7']);
    expect(got.get('x-forwarded-for')).toEqual(['1.1.1.1, 198.51.100.7, ::ffff:127.0.0.9, 127.0.0.1']);
    expect(got.get('x-forwarded-proto')).toEqual(['https']);
  });
});

describe('V24: another spelling of a field', () => {
  test.each(['Remote_User', 'X_Forwarded_For', 'x_real_ip', 'X-Forwarded_For', '_'])(
    'never arrives: %s',
    async (name) => {
      for (const to of [server, behindProxy])
        expect(JSON.stringify([...(await ask(to, [`${name}: forged`]))])).not.toContain('forged');
    },
  );

  test('never arrives as a trailer', async () => {
    const raw = await openRawSocket(server.port);
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\n\r\n';
    await raw.send(`${head}1\r\nx\r\n0\r\nRemote-User: forged\r\nRemote_User: forged\r\n\r\n`);
    const [reply] = await raw.readReplies(1);
    expect(reply.status).toBe(200);
    expect(reply.body.toString()).not.toContain('forged');
  });
});

describe('V25: a field that Connection nominates', () => {
  test.each([() => server, () => behindProxy])(
    'goes no further, and is none of those that we write',
    async (to) => {
      const names =
        'X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP, X-Request-Id, Host, X-User';
      const got = await ask(to(), [`Connection: close, ${names}`, 'X-User: admin', 'X-Other: 1']);
      expect(got.has('x-user')).toBe(false);
      expect(got.get('x-other')).toEqual(['1']);
      for (const name of [
        'x-forwarded-for',
        'x-forwarded-proto',
        'x-forwarded-host',
        'x-real-ip',
        'x-request-id',
        'host',
      ])
        expect([name, got.get(name)?.length]).toEqual([name, 1]);
    },
  );
});

describe('V26: a word between a site and its server', () => {
  test.each(['X-Accel-Redirect', 'X-Accel-Buffering', 'X-Accel-Anything', 'X-Sendfile', 'X-Sendfile-Type'])(
    'is dropped when a client says it: %s',
    async (name) => {
      for (const to of [server, behindProxy])
        expect(JSON.stringify([...(await ask(to, [`${name}: forged`]))])).not.toContain('forged');
    },
  );

  test('means nothing when an upstream says it that is not trusted with it', async () => {
    const raw = await openRawSocket(server.port);
    await raw.send('GET /accel HTTP/1.1\r\nHost: a\r\n\r\n');
    const [reply] = await raw.readReplies(1);
    expect(reply.body.toString()).toContain('/accel');
    expect(readField(reply, 'x-accel-redirect')).toBe(undefined);
  });
});

describe('V28: a request for another server', () => {
  test.each([
    ['an absolute target', 'GET http://evil.example/a HTTP/1.1\r\nHost: evil.example', 200],
    ['an absolute target and another Host', 'GET http://evil.example/a HTTP/1.1\r\nHost: site.example', 400],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443', 405],
    ['an authority', 'GET evil.example:80 HTTP/1.1\r\nHost: evil.example', 400],
    ['two slashes', 'GET //evil.example/a HTTP/1.1\r\nHost: site.example', 200],
    ['userinfo', 'GET http://site.example@evil.example/ HTTP/1.1\r\nHost: evil.example', 400],
  ])('is for this site or for nobody: %s', async (_, head, status) => {
    const before = upstream.requestCount;
    const raw = await openRawSocket(server.port);
    await raw.send(`${head}\r\n\r\n`);
    const [reply] = await raw.readReplies(1);
    raw.destroy();
    expect(reply.status).toBe(status);
    expect(upstream.requestCount).toBe(before + (status === 200 ? 1 : 0));
    if (status === 200) expect(reply.body.toString()).toMatch(/^\["\/{1,2}/);
  });

  test('is not made by a redirect of an upstream: the client gets it', async () => {
    const redirecting = await startNodeUpstream('redirecting', (_, response) =>
      response.writeHead(302, { Location: 'http://169.254.169.254/latest' }).end(),
    );
    const one = await startServer({
      workers: 1,
      upstreams: { app: { servers: [redirecting.url] } },
      routes: [{ path: '/', proxy: 'app' }],
    });
    const reply = await fetch(one.url, { redirect: 'manual' });
    expect([reply.status, reply.headers.get('location')]).toEqual([302, 'http://169.254.169.254/latest']);
  });
});

/** A server that answers each connection's first bytes with `text`; and how many connections it saw, and has. */
async function startRawUpstream(answer: (socket: Socket) => void) {
  const open = new Set<Socket>();
  let count = 0;
  const raw = createServer((socket) => {
    count++;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.on('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => {
    for (const socket of open) socket.destroy();
    raw.close();
  });
  return { url: `http://127.0.0.1:${(raw.address() as { port: number }).port}`, open, count: () => count };
}

describe('V38: an upstream that answers', () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';
  test.each<[string, (socket: Socket) => void]>([
    ['endless fields', (socket) => void writeFor(socket, 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'.repeat(1000))],
    ['an endless field', (socket) => void writeFor(socket, 'HTTP/1.1 200 OK\r\nX-A: ', 'x'.repeat(10_000))],
    ['an endless status line', (socket) => void writeFor(socket, 'HTTP/1.1 200 ', 'x'.repeat(10_000))],
    ['a bad status line', (socket) => socket.write('HTTP/1.1 20 OK\r\n\r\n')],
    ['no HTTP at all', (socket) => socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 0x28]))],
    ['two lengths', (socket) => socket.write(`${whole}Content-Length: 3\r\n\r\nok`)],
    ['a length and chunks', (socket) => socket.write(`${whole}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)],
    ['a field with a bare CR', (socket) => socket.write(`${whole}X-A: b\rX-C: d\r\n\r\nok`)],
    [
      'a 101 that nobody asked for',
      (socket) => socket.write('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    ],
  ])('%s is a 502, and its connection is used no more', async (_, answer) => {
    const peer = await startRawUpstream(answer);
    const one = await startServer({
      workers: 1,
      upstreams: { app: { servers: [peer.url] } },
      routes: [{ path: '/', proxy: 'app' }],
    });
    const raw = await openRawSocket(one.port);
    await raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    const [reply] = await raw.readReplies(1);
    expect([reply.status, reply.body.toString()]).toEqual([502, '502 Bad Gateway\n']);
    await waitUntil('the connection is closed', () => peer.open.size === 0);
  });

  test('more than it announced gives nobody what is too much', async () => {
    const peer = await startRawUpstream((socket) =>
      socket.write(`${whole}\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`),
    );
    const one = await startServer({
      workers: 1,
      upstreams: { app: { servers: [peer.url] } },
      routes: [{ path: '/', proxy: 'app' }],
    });
    const raw = await openRawSocket(one.port);
    for (let i = 1; i <= 3; i++) {
      await raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const replies = await raw.readReplies(i);
      expect(replies.map(({ body }) => body.toString())).toEqual(Array(i).fill('ok'));
    }
    expect(peer.count()).toBe(3);
  });
});

/** Writes a beginning and then the same again and again, as long as somebody listens. */
async function writeFor(socket: Socket, start: string, more: string): Promise<void> {
  socket.removeAllListeners('data').resume();
  socket.write(start);
  while (!socket.destroyed) {
    if (!socket.write(more)) await Promise.race([onceOf(socket, 'drain'), onceOf(socket, 'close')]);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const onceOf = (socket: Socket, event: string) => new Promise((resolve) => socket.once(event, resolve));
