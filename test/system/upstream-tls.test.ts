// TLS to the servers of an upstream: who is believed, what is shown to them, and what a client learns of a failure.

import { copyFileSync, readFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, createServer as createRawServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type CertificateFiles, createAuthority } from '../support/certificates.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { runTsserve } from '../support/run-tsserve.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const authority = createAuthority();
const good = authority.issue('app.test');

/** What a connection looked like to the server. */
interface Seen {
  readonly name: string | false | null;
  readonly resumed: boolean;
  readonly protocol: string | null;
  readonly alpn: string | false | null;
  readonly client: string | string[] | undefined;
}

function listen(server: {
  listen(port: number, host: string, ready: () => void): unknown;
  address(): unknown;
}) {
  return new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

/** A Node server with TLS. It answers with the name of the client's certificate. */
async function startSecure(files: CertificateFiles, options: ServerOptions = {}) {
  const seen: Seen[] = [];
  let requests = 0;
  const sockets = new Set<Duplex>();
  const server = createServer(
    { cert: readFileSync(files.cert), key: readFileSync(files.key), ALPNProtocols: ['http/1.1'], ...options },
    (request, response) => {
      requests++;
      const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
      response.end(`hello ${subject?.CN ?? 'stranger'}`);
    },
  );
  server.on('secureConnection', (socket) => {
    seen.push({
      name: (socket as TLSSocket & { servername: string | false | null }).servername,
      resumed: socket.isSessionReused(),
      protocol: socket.getProtocol(),
      alpn: socket.alpnProtocol,
      client: socket.getPeerCertificate().subject?.CN,
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  const port = await listen(server);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  cleanUpLater(() => {
    cut();
    server.close();
  });
  return {
    port,
    seen,
    server,
    cut,
    get connectionCount() {
      return sockets.size;
    },
    get requests() {
      return requests;
    },
  };
}

function startSite(port: number, tls: object | undefined, more: object = {}): Promise<StartedServer> {
  return startServer({
    workers: 1,
    limits: { body: '64m' },
    upstreams: { app: { servers: [`https://127.0.0.1:${port}`], ...(tls && { tls }), ...more } },
    routes: [{ path: '/', proxy: 'app' }],
  });
}

const ask = async (server: StartedServer, init: RequestInit = {}) => {
  const response = await fetch(server.url, init);
  return { status: response.status, text: await response.text() };
};

/** A request that must fail with that status, and say why in the log only. */
async function expectRefusal(server: StartedServer, status: number, reason: RegExp): Promise<void> {
  const answer = await ask(server);
  expect(answer.status).toBe(status);
  expect(answer.text).not.toMatch(/certificate|tls|ssl|127\.0\.0\.1/i);
  await server.process.waitForStderr(reason);
}

describe('a server whose certificate is verified', () => {
  it('is spoken to: by name (SNI), with HTTP/1.1 (ALPN), TLS 1.3, and sessions that are resumed', async () => {
    const peer = await startSecure(good);
    const server = await startSite(peer.port, { ca: authority.ca, name: 'App.test' });
    expect(await ask(server)).toEqual({ status: 200, text: 'hello stranger' });
    expect(await ask(server)).toEqual({ status: 200, text: 'hello stranger' });
    const fresh = {
      name: 'app.test',
      resumed: false,
      protocol: 'TLSv1.3',
      alpn: 'http/1.1',
      client: undefined,
    };
    expect(peer.seen).toEqual([fresh]);
    peer.cut();
    expect(await ask(server)).toEqual({ status: 200, text: 'hello stranger' });
    expect(peer.seen).toEqual([fresh, { ...fresh, resumed: true }]);
  });

  it('is known by the host of its URL, an address too', async () => {
    const peer = await startSecure(good);
    const server = await startSite(peer.port, { ca: authority.ca });
    expect((await ask(server)).status).toBe(200);
    expect(peer.seen[0].name).toBe(false);
  });

  it('is spoken to with TLS 1.2 where it knows no other, and its sessions are resumed', async () => {
    const peer = await startSecure(good, { maxVersion: 'TLSv1.2' });
    const server = await startSite(peer.port, { ca: authority.ca });
    expect((await ask(server)).status).toBe(200);
    peer.cut();
    expect((await ask(server)).status).toBe(200);
    expect(peer.seen.map(({ protocol, resumed }) => [protocol, resumed])).toEqual([
      ['TLSv1.2', false],
      ['TLSv1.2', true],
    ]);
    const strict = await startSite(peer.port, { ca: authority.ca, minVersion: 'TLSv1.3' });
    await expectRefusal(strict, 502, /TSS_UPSTREAM_CONNECT: .*connect: .*(?:protocol|PROTOCOL)/);
  });

  it('sends large bodies both ways', async () => {
    const peer = await startSecure(good);
    peer.server.removeAllListeners('request');
    peer.server.on('request', (request, response) => request.pipe(response));
    const server = await startSite(peer.port, { ca: authority.ca });
    const body = Buffer.alloc(20_000_000, 'tsserve ');
    const response = await fetch(server.url, { method: 'POST', body });
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  it('sends large bodies both ways after the PROXY protocol too, at the pace of who reads them', async () => {
    const peer = await startSecure(good);
    peer.server.removeAllListeners('request');
    peer.server.on('request', (request, response) => request.pipe(response));
    // Takes the line away, and hands the rest of the connection on.
    const front = createRawServer((socket) => {
      socket.on('error', () => {});
      socket.once('readable', () => {
        const data: Buffer = socket.read() ?? Buffer.alloc(0);
        const end = data.indexOf('\n') + 1;
        expect(data.toString('latin1', 0, end)).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
        const inner = connect(peer.port, '127.0.0.1');
        inner.on('error', () => socket.destroy());
        inner.write(data.subarray(end));
        socket.pipe(inner).pipe(socket);
      });
    });
    const port = await listen(front);
    cleanUpLater(() => void front.close());
    const server = await startSite(port, { ca: authority.ca }, { proxyProtocol: 'v1' });
    const body = Buffer.alloc(20_000_000, 'tsserve ');
    const response = await fetch(server.url, { method: 'POST', body });
    const received: Buffer[] = [];
    for await (const chunk of response.body ?? []) {
      received.push(Buffer.from(chunk));
      if (received.length % 50 === 0) await sleep(5);
    }
    expect(Buffer.concat(received).equals(body)).toBe(true);
  });

  it('T3: has no connection left of clients that left in the middle of a response', async () => {
    const peer = await startSecure(good);
    peer.server.removeAllListeners('request');
    peer.server.on('request', (_, response) => {
      response.write(Buffer.alloc(300_000));
    });
    const server = await startSite(peer.port, { ca: authority.ca });
    for (let round = 0; round < 5; round++) {
      const leaving = Array.from({ length: 20 }, async () => {
        const controller = new AbortController();
        const response = await fetch(server.url, { signal: controller.signal });
        controller.abort();
        return response.status;
      });
      expect(new Set(await Promise.all(leaving))).toEqual(new Set([200]));
    }
    await waitUntil('every connection is closed', () => peer.connectionCount === 0);
  });

  it.each<[string, () => CertificateFiles, object, RegExp]>([
    [
      'expired',
      () => authority.issue('app.test', { days: -1 }),
      { ca: authority.ca },
      /certificate has expired/,
    ],
    [
      'of another name',
      () => good,
      { ca: authority.ca, name: 'other.test' },
      /Host: other\.test\. is not in the cert/,
    ],
    [
      'of an unknown authority',
      () => createAuthority().issue('app.test'),
      { ca: authority.ca },
      /unable to verify/,
    ],
    ['that the system does not trust', () => good, {}, /unable to verify/],
  ])(
    'gets no request with a certificate %s: 502, with the reason in the log',
    async (_, issue, tls, reason) => {
      const peer = await startSecure(issue());
      const server = await startSite(peer.port, tls);
      await expectRefusal(
        server,
        502,
        new RegExp(`TSS_UPSTREAM_CONNECT: 127\\.0\\.0\\.1:\\d+: connect: .*${reason.source}`),
      );
      // Nor when a session could be resumed.
      await expectRefusal(server, 502, reason);
      expect(peer.requests).toBe(0);
    },
  );

  it('is verified without a setting', async () => {
    const peer = await startSecure(good);
    await expectRefusal(await startSite(peer.port, undefined), 502, /unable to verify/);
  });

  it('is not verified where the config says so', async () => {
    const peer = await startSecure(authority.issue('app.test', { days: -1 }));
    const server = await startSite(peer.port, { verify: false, name: 'other.test' });
    expect((await ask(server)).status).toBe(200);
    expect(peer.seen[0].name).toBe('other.test');
  });
});

describe('a client certificate', () => {
  const demanding = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(authority.ca) };

  it('is shown to a server that asks for one, and renewed by a reload', async () => {
    const peer = await startSecure(good, demanding);
    const folder = createTempFolder();
    const take = ({ cert, key }: CertificateFiles) => {
      copyFileSync(cert, join(folder, 'client.pem'));
      copyFileSync(key, join(folder, 'client.key'));
    };
    take(authority.issue('front one'));
    const tls = { ca: authority.ca, cert: join(folder, 'client.pem'), key: join(folder, 'client.key') };
    const server = await startSite(peer.port, tls);
    expect(await ask(server)).toEqual({ status: 200, text: 'hello front one' });

    take(authority.issue('front two'));
    server.process.sendSignal('SIGHUP');
    await waitUntil(
      'the new certificate is shown',
      async () => (await ask(server)).text === 'hello front two',
    );
  });

  it('that is missing makes a 502', async () => {
    const peer = await startSecure(good, demanding);
    const server = await startSite(peer.port, { ca: authority.ca });
    await expectRefusal(server, 502, /TSS_UPSTREAM_\w+: .*certificate required/i);
  });
});

describe('a handshake', () => {
  it('that never ends makes a 504 within the time for connecting', async () => {
    const silent = createRawServer((socket) => socket.on('error', () => {}));
    const port = await listen(silent);
    cleanUpLater(() => void silent.close());
    const server = await startSite(port, { ca: authority.ca }, { timeouts: { connect: '300ms' } });
    await expectRefusal(server, 504, /TSS_UPSTREAM_CONNECT_TIMEOUT/);
  });

  it('V38: that is answered in plain text makes a 502', async () => {
    const plain = createRawServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno');
    });
    const port = await listen(plain);
    cleanUpLater(() => void plain.close());
    await expectRefusal(
      await startSite(port, { ca: authority.ca }),
      502,
      /TSS_UPSTREAM_CONNECT: .*wrong version number/,
    );
  });

  it('that fails takes the server out, and the request goes to another', async () => {
    const peer = await startSecure(good);
    const expired = await startSecure(authority.issue('app.test', { days: -1 }));
    const servers = [`https://127.0.0.1:${expired.port}`, `https://127.0.0.1:${peer.port}`];
    const server = await startSite(0, { ca: authority.ca }, { servers });
    for (let i = 0; i < 6; i++) expect((await ask(server, { method: 'POST', body: 'x' })).status).toBe(200);
    await server.process.waitForStderr(/is out for a while: connect: certificate has expired/);
  });
});

it('a WebSocket goes to a server with TLS, and not to one that is not believed', async () => {
  const peer = await startSecure(good);
  const sockets = new WebSocketServer({ server: peer.server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${String(data)}`)));
  cleanUpLater(() => void sockets.close());
  const talk = (server: StartedServer) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(server.url.replace('http', 'ws'));
      socket.on('open', () => socket.send('hi'));
      socket.on('message', (data) => {
        resolve(String(data));
        socket.close();
      });
      socket.on('error', (error) => resolve(error.message));
    });
  expect(await talk(await startSite(peer.port, { ca: authority.ca, name: 'app.test' }))).toBe('echo hi');
  expect(peer.seen[0].name).toBe('app.test');
  expect(await talk(await startSite(peer.port, {}))).toContain('502');
});

describe('settings of TLS that cannot be', () => {
  const other = authority.issue('other');
  it.each<[string, object, string, string]>([
    ['no such file', { ca: 'no.pem' }, '"ca": "no.pem"', 'file not found'],
    ['no certificate in it', { ca: 'empty.pem' }, '"ca": "empty.pem"', 'there is no certificate (PEM) in it'],
    ['a broken one', { ca: 'broken.pem' }, '"ca": "broken.pem"', 'broken.pem cannot be used'],
    [
      'the key of another',
      { cert: good.cert, key: other.key },
      '"key": ',
      'this is not the key of the certificate',
    ],
    ['no key', { cert: good.cert }, '"cert": ', '"cert" needs "key" as well'],
    ['an authority for nothing', { verify: false, ca: good.cert }, '"ca": ', 'nothing is verified'],
    ['no host name', { name: 'a b' }, '"name": ', 'this is not a host name'],
  ])('are found before anything starts: %s', async (_, tls, line, problem) => {
    const folder = createTempFolder({
      'empty.pem': '',
      'broken.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    });
    const upstreams = { app: { servers: ['https://127.0.0.1:1'], tls } };
    const site = { listen: '127.0.0.1:8080', upstreams, routes: [{ path: '/', proxy: 'app' }] };
    writeFiles(folder, { 'site.json': JSON.stringify(site, null, 1) });
    const { code, stderr } = await runTsserve(['-t', '-c', join(folder, 'site.json')]);
    expect(code).toBe(2);
    expect(stderr).toContain(line);
    expect(stderr).toContain(problem);
  });
});
