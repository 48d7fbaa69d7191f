// Health checks of a whole server: over TLS, with the PROXY protocol, and through reloads.

import { readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const often = { interval: '100ms', jitter: 0 };

describe('S15: health checks', () => {
  it('know through a reload who is down, and lose no request by it', async () => {
    let isWell = true;
    const asked = { sick: 0 };
    const sick = await startNodeUpstream('sick', (request, response) => {
      if (request.url === '/up') response.statusCode = isWell ? 200 : 503;
      else asked.sick++;
      response.end('sick');
    });
    const well = await startNodeUpstream('well');
    const site = (more: object = {}) => ({
      workers: 2,
      upstreams: {
        two: { servers: [sick.url, well.url], health: { path: '/up', ...often }, panic: 0 },
      },
      routes: [{ path: '/', proxy: 'two' }],
      ...more,
    });
    const server = await startServer(site());
    isWell = false;
    // Each front worker finds out for itself.
    await waitUntil(
      'both workers know',
      () => server.process.stderr.match(/does not pass its health check: it answered 503/g)?.length === 2,
    );
    server.writeConfig(site({ limits: { body: '2m' } }));
    const before = asked.sick;
    server.process.sendSignal('SIGHUP');
    for (let i = 0; i < 60; i++) {
      expect((await fetch(server.url)).status).toBe(200);
      await sleep(10);
    }
    expect(asked.sick).toBe(before);
    expect(server.process.stderr.match(/does not pass/g)).toHaveLength(2);
    isWell = true;
    await waitUntil('both workers know that', () => server.process.stderr.match(/is well/g)?.length === 2);
    await waitUntil('it is asked again', async () => {
      await fetch(server.url);
      return asked.sick > before;
    });
  });

  it('go over TLS to servers that speak it, and fail where nobody can be believed', async () => {
    const { cert, key } = createAuthority().issue('app.test');
    let checks = 0;
    const secure = createSecureServer(
      { cert: readFileSync(cert), key: readFileSync(key) },
      (request, response) => {
        if (request.url === '/up') checks++;
        response.end('secure');
      },
    );
    secure.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    cleanUpLater(() => {
      secure.close();
      secure.closeAllConnections();
    });
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const start = (tls: object, health: object) =>
      startServer({
        workers: 1,
        upstreams: { app: { servers: [url], tls, health: { ...often, ...health } } },
        routes: [{ path: '/', proxy: 'app' }],
      });
    const trusting = await start({ verify: false }, { path: '/up' });
    await waitUntil('checks come through', () => checks > 2);
    expect(await (await fetch(trusting.url)).text()).toBe('secure');
    expect(trusting.process.stderr).not.toContain('does not pass');
    for (const health of [{ path: '/up' }, {}]) {
      const careful = await start({ verify: true, name: 'app.test' }, health);
      await careful.process.waitForStderr(/does not pass its health check: .*certificate/);
    }
  });

  it('begin with the PROXY protocol where the server expects that', async () => {
    const heads: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => {
        heads.push(data.toString('latin1'));
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUpLater(() => void server.close());
    await startServer({
      workers: 1,
      upstreams: {
        app: {
          servers: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`],
          proxyProtocol: 'v1',
          health: { path: '/up', ...often },
        },
      },
      routes: [{ path: '/', proxy: 'app' }],
    });
    await waitUntil('a check is there', () => heads.length > 0);
    expect(heads[0]).toMatch(/^PROXY UNKNOWN\r\n/);
  });
});
