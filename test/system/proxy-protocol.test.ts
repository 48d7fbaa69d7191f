// Connections that proxies pass on with the PROXY protocol: our own, HAProxy's and curl's heads, and what the site makes
// of the client that they name.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { type NodeUpstream, startNodeUpstream } from '../support/node-upstream.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { runTsserve, startProcess } from '../support/run-tsserve.ts';
import { type StartedServer, startServer, waitUntilListening } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const run = promisify(execFile);

/** What a request met, as the site's variables have it. */
const routes = [
  { path: '/', return: { status: 200, body: '$remote_addr $remote_port $server_addr $server_port' } },
  { path: '/app', proxy: 'app' },
];

let app: NodeUpstream;
let server: StartedServer;

async function startProxied(trustedProxies = ['127.0.0.1']): Promise<StartedServer> {
  return startServer({
    workers: 1,
    listen: { host: '127.0.0.1', port: await findFreePort(), proxyProtocol: true },
    trustedProxies,
    accessLog: 'access.log',
    upstreams: { app: { servers: [app.url] } },
    routes,
  });
}

beforeAll(async () => {
  app = await startNodeUpstream('app', ({ headers }, response) => {
    response.end(JSON.stringify([headers['x-forwarded-for'], headers['x-real-ip']]));
  });
  server = await startProxied();
});

/** A request from one of the addresses of this machine, with the port that it came from. */
function ask(url: string, headers = {}, localAddress = '127.0.0.1'): Promise<{ text: string; port: number }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, headers, localAddress }, (response) => {
      const port = response.socket.localPort ?? 0;
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ text, port }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function sendRaw(
  port: number,
  line: string,
  lines: readonly string[] = [],
  target = '/',
): Promise<string> {
  const raw = await openRawSocket(port);
  await raw.send([`${line}\r\nGET ${target} HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n'));
  const [reply] = await raw.readReplies(1);
  raw.destroy();
  return reply.body.toString();
}

describe('the client that a head names', () => {
  const line = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443';

  it('is the client of the request and of its line in the access log', async () => {
    expect(await sendRaw(server.port, line)).toBe('203.0.113.9 4711 192.0.2.1 443');
    const accessLog = join(server.folder, 'access.log');
    await waitUntil('the line is there', () => /^203\.0\.113\.9 /m.test(readFileSync(accessLog, 'utf8')));
  });

  it('is not believed when it names yet another one', async () => {
    const text = await sendRaw(server.port, line, ['X-Forwarded-For: 198.51.100.7'], '/app');
    expect(JSON.parse(text)).toEqual(['203.0.113.9', '203.0.113.9']);
  });

  it('is believed when it is a trusted proxy itself', async () => {
    const trusting = await startProxied(['127.0.0.1', '203.0.113.0/24']);
    const text = await sendRaw(trusting.port, line, ['X-Forwarded-For: 198.51.100.7'], '/app');
    expect(JSON.parse(text)).toEqual(['198.51.100.7, 203.0.113.9', '198.51.100.7']);
  });
});

describe('whoever is no trusted proxy', () => {
  it('is shown the door, and the log says so', async () => {
    const strict = await startProxied(['127.0.0.1', '192.0.2.0/24']);
    await expect(ask(`${strict.url}/`, {}, '127.0.0.9')).rejects.toThrow(/socket hang up|ECONNRESET/);
    await strict.process.waitForStderr(/connection of 127\.0\.0\.9 closed: it is none of "trustedProxies"/);
  });

  it('and a trusted one that sends no head, too', async () => {
    await expect(ask(`${server.url}/`)).rejects.toThrow(/socket hang up|ECONNRESET/);
    await server.process.waitForStderr(
      /connection of 127\.0\.0\.1 closed: what came is no head of the PROXY/,
    );
  });
});

it.each(['v1', 'v2'])('one tsserve tells another by version %s', async (proxyProtocol) => {
  const front = await startServer({
    workers: 1,
    upstreams: { next: { servers: [server.url], proxyProtocol } },
    routes: [{ path: '/', proxy: 'next' }],
  });
  for (const address of ['127.0.0.1', '127.0.0.5', '127.0.0.1']) {
    const { text, port } = await ask(`${front.url}/`, {}, address);
    expect(text).toBe(`${address} ${port} 127.0.0.1 ${front.port}`);
  }
});

it('a reload turns it on and off, without a new socket', async () => {
  const port = await findFreePort();
  const site = { workers: 1, trustedProxies: ['127.0.0.1'], routes: [routes[0]] };
  const changing = await startServer({ ...site, listen: { host: '127.0.0.1', port } });
  expect((await ask(changing.url)).text).toMatch(/^127\.0\.0\.1 /);
  changing.writeConfig({ ...site, listen: { host: '127.0.0.1', port, proxyProtocol: true } });
  changing.process.sendSignal('SIGHUP');
  await waitUntil('requests without a head are refused', () =>
    ask(changing.url).then(
      () => false,
      () => true,
    ),
  );
  expect(await sendRaw(port, 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443')).toContain('203.0.113.9 4711');
  changing.writeConfig({ ...site, listen: { host: '127.0.0.1', port } });
  changing.process.sendSignal('SIGHUP');
  await waitUntil('requests without a head are answered', () =>
    ask(changing.url).then(
      () => true,
      () => false,
    ),
  );
});

it('a config that lets nobody connect is refused where it says so', async () => {
  const config = `{
  "listen": { "port": 8080, "proxyProtocol": true },
  "routes": [{ "path": "/", "return": 204 }]
}`;
  const folder = createTempFolder({ 'site.json': config });
  const { code, stderr } = await runTsserve(['-t', '-c', join(folder, 'site.json')]);
  expect(code).toBe(2);
  expect(stderr).toContain('site.json:2:46: "proxyProtocol" needs "trustedProxies": nobody could connect');
});

describeWithTool('curl', 'with --haproxy-protocol', (curl) => {
  it('is answered, and is its own client', async () => {
    const { stdout } = await run(curl, ['-sS', '--haproxy-protocol', `${server.url}/`]);
    expect(stdout).toMatch(new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${server.port}$`));
  });
});

describeWithTool('haproxy', 'behind HAProxy', (haproxy) => {
  it.each([
    ['http', 'send-proxy'],
    ['http', 'send-proxy-v2'],
    ['tcp', 'send-proxy'],
    ['tcp', 'send-proxy-v2'],
    ['tcp', 'send-proxy-v2 proxy-v2-options unique-id,crc32c'],
  ])('in mode %s with %s, clients are known by address and port, and checks pass', async (mode, option) => {
    const behind = await startProxied();
    const port = await findFreePort();
    const folder = createTempFolder({
      'haproxy.cfg': `
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 60s
  timeout server 60s

listen front
  bind 127.0.0.1:${port}
  unique-id-format %[uuid()]
  server site 127.0.0.1:${behind.port} ${option} check inter 50ms
`,
    });
    const running = startProcess([haproxy, '-db', '-f', join(folder, 'haproxy.cfg')]);
    await waitUntilListening(running, port);
    for (const address of ['127.0.0.1', '127.0.0.5', '127.0.0.1']) {
      const { text, port: clientPort } = await ask(`http://127.0.0.1:${port}/`, {}, address);
      expect(text).toBe(`${address} ${clientPort} 127.0.0.1 ${port}`);
    }
    await running.stop();
    expect(behind.process.stderr).not.toContain('closed:');
  });
});
