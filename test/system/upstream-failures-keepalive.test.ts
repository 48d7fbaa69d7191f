// Upstreams that close connections which they had kept, at the moment when the next request is on its way.

import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { findFreePort } from '../support/free-port.ts';
import { runLoad } from '../support/load.ts';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { startProcess } from '../support/run-tsserve.ts';
import { startServer, waitUntilListening } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const requests = 100_000;

/** Answers some requests on each connection; then it closes, in the tick of the answer or in one of the next. */
async function startCloser(): Promise<{ url: string; closed: () => number }> {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  let closed = 0;
  const server = createServer((socket) => {
    let left = 5 + (closed % 40);
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(text);
      if (--left > 0) return;
      closed++;
      if (closed % 3 === 0) socket.end();
      else if (closed % 3 === 1) setImmediate(() => socket.destroy());
      else setTimeout(() => socket.destroy(), 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, closed: () => closed };
}

const proxyTo = (url: string) => ({
  workers: 1,
  upstreams: { one: { servers: [url] } },
  routes: [{ path: '/', proxy: 'one' }],
});

it('T9: 100,000 requests to an upstream that closes in the tick of its answer, without an error', async () => {
  const closer = await startCloser();
  const server = await startServer(proxyTo(closer.url));
  const result = await runLoad({ port: server.port, requests, connections: 32 });
  console.log(
    `keep-alive: ${requests} requests, ${result.failures.length} failed, statuses ` +
      `${JSON.stringify(result.statuses)}, ${closer.closed()} connections closed under them, ` +
      `${Math.round(requests / result.seconds)} a second`,
  );
  expect(result.failures).toEqual([]);
  expect(result.statuses).toEqual({ 200: requests });
  expect(closer.closed()).toBeGreaterThan(1000);
});

/** Bursts of requests so far apart that the upstream is about to close what it keeps. */
async function runBursts(port: number, path: string, pausesMs: readonly number[]): Promise<void> {
  const statuses: Record<number, number> = {};
  for (const pauseMs of pausesMs) {
    const result = await runLoad({ port, path, requests: 60, connections: 12 });
    expect(result.failures).toEqual([]);
    for (const [status, count] of Object.entries(result.statuses))
      statuses[Number(status)] = (statuses[Number(status)] ?? 0) + count;
    await sleep(pauseMs);
  }
  expect(statuses).toEqual({ 200: 60 * pausesMs.length });
}

it('T9, T38: no GET fails when Node ends idle connections under it', async () => {
  const upstream = await startNodeUpstream('node', (_, response) => {
    // Said by hand, so that Node does not announce its time: then nothing would be kept.
    response.setHeader('Connection', 'keep-alive');
    response.end('ok');
  });
  upstream.setKeepAliveTimeout(15);
  const server = await startServer(proxyTo(upstream.url));
  await runBursts(
    server.port,
    '/',
    Array.from({ length: 120 }, (_, i) => 10 + (i % 14)),
  );
});

describeWithTool('gunicorn', 'T9, T38: gunicorn, which ends idle connections after a second', (gunicorn) => {
  it('fails no GET', async () => {
    const folder = createTempFolder({
      'app.py':
        'def app(environ, start):\n    start("200 OK", [("Content-Length", "2")])\n    return [b"ok"]\n',
    });
    const port = await findFreePort();
    const options = ['-k', 'gthread', '--threads', '16', '--keep-alive', '1', '-b', `127.0.0.1:${port}`];
    const running = startProcess([gunicorn, ...options, 'app:app'], { cwd: folder });
    await waitUntilListening(running, port);
    const server = await startServer(proxyTo(`http://127.0.0.1:${port}`));
    await runBursts(server.port, '/', [980, 990, 1000, 1005, 1010, 1020, 1040, 995]);
  });
});

describeWithTool(
  'nginx',
  'T9, T38: nginx, which ends idle connections and every seventh request',
  (nginx) => {
    it('fails no GET', async () => {
      const port = await findFreePort();
      const folder = createTempFolder({
        'nginx.conf': `daemon off; master_process off; pid nginx.pid; error_log stderr;
        events {}
        http { access_log off; keepalive_timeout 20ms; keepalive_requests 7;
          server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } } }`,
      });
      const running = startProcess([nginx, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']);
      await waitUntilListening(running, port);
      const server = await startServer(proxyTo(`http://127.0.0.1:${port}`));
      await runBursts(
        server.port,
        '/',
        Array.from({ length: 100 }, (_, i) => 14 + (i % 12)),
      );
    });
  },
);
