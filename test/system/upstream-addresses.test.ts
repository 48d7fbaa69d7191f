// Host names of servers, with a real DNS server that changes its mind, goes away and comes back.

import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { type DnsServer, startDnsmasq } from '../support/dnsmasq.ts';
import { findFreePort } from '../support/free-port.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { type SiteConfig, type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Servers that say where they listen, "127.0.0.2:PORT"; "/slow" is answered when `release` is called. */
async function startServers(addresses: readonly string[], given = 0) {
  const sockets = new Set<Socket>();
  const slow: (() => void)[] = [];
  const servers: Server[] = [];
  let port = given;
  let connections = 0;
  for (const address of addresses) {
    const server = createServer((request, response) => {
      const answer = () => void response.end(`${address}:${port}`);
      if (request.url === '/slow') slow.push(answer);
      else answer();
    });
    server.on('connection', (socket) => {
      connections++;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
  cleanUpLater(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });
  return {
    port,
    slow,
    get connections() {
      return connections;
    },
  };
}

const ask = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
};

/** Who answers, by as many requests as it takes to hear everybody. */
async function listAnswers(url: string, requests = 12): Promise<string[]> {
  const heard = new Set<string>();
  for (let i = 0; i < requests; i++) {
    const { status, text } = await ask(url);
    heard.add(status === 200 ? text : String(status));
  }
  return [...heard].sort();
}

const waitForAnswers = (url: string, expected: readonly string[]) =>
  waitUntil(
    `${expected.join(' and ')} answer`,
    async () => JSON.stringify(await listAnswers(url)) === JSON.stringify(expected),
    20_000,
  );

function startSite(upstream: object, more: SiteConfig = {}): Promise<StartedServer> {
  return startServer({
    workers: 1,
    errorLog: { level: 'info' },
    upstreams: { app: upstream },
    routes: [
      { path: '/', proxy: 'app' },
      { path: '= /ping', return: { status: 200, body: 'pong' } },
    ],
    ...more,
  });
}

describeWithTool('dnsmasq', 'a server with a host name', (dnsmasq) => {
  const startDns = (hosts: Record<string, string[]>): Promise<DnsServer> => startDnsmasq(dnsmasq, hosts);

  it('T15: that stands for nothing fails its own requests only, and serves as soon as it stands for something', async () => {
    const { port } = await startServers(['127.0.0.2']);
    const dns = await startDns({});
    const server = await startSite({
      servers: [`http://app.test:${port}`],
      resolve: { resolver: dns.address },
    });
    const { status, text } = await ask(server.url);
    expect(status).toBe(502);
    expect(text).not.toContain('app.test');
    expect(await ask(`${server.url}/ping`)).toEqual({ status: 200, text: 'pong' });
    await server.process.waitForStderr(
      /TSS_UPSTREAM_ADDRESS: upstream app: app\.test cannot be resolved: ENOTFOUND/,
    );

    dns.setHosts({ 'app.test': ['127.0.0.2'] });
    await waitForAnswers(server.url, [`127.0.0.2:${port}`]);
  });

  it('has requests spread over all its addresses, and over new ones without a reload', async () => {
    const { port } = await startServers(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
    const dns = await startDns({ 'app.test': ['127.0.0.2', '127.0.0.3'] });
    const server = await startSite({
      servers: [`http://app.test:${port}`],
      resolve: { resolver: dns.address },
    });
    expect(await listAnswers(server.url)).toEqual([`127.0.0.2:${port}`, `127.0.0.3:${port}`]);

    dns.setHosts({ 'app.test': ['127.0.0.3', '127.0.0.4'] });
    await waitForAnswers(server.url, [`127.0.0.3:${port}`, `127.0.0.4:${port}`]);
  });

  it('loses no request that is under way at an address that leaves, and no connection to one that stays', async () => {
    const servers = await startServers(['127.0.0.2', '127.0.0.3']);
    const { port } = servers;
    const dns = await startDns({ 'app.test': ['127.0.0.2'] });
    const server = await startSite({
      servers: [`http://app.test:${port}`],
      resolve: { resolver: dns.address },
    });
    const slow = ask(`${server.url}/slow`);
    await waitUntil('the request is there', () => servers.slow.length === 1);

    dns.setHosts({ 'app.test': ['127.0.0.3'] });
    await waitForAnswers(server.url, [`127.0.0.3:${port}`]);
    for (const answer of servers.slow) answer();
    expect(await slow).toEqual({ status: 200, text: `127.0.0.2:${port}` });

    const before = servers.connections;
    dns.setHosts({ 'app.test': ['127.0.0.2', '127.0.0.3'] });
    await waitForAnswers(server.url, [`127.0.0.2:${port}`, `127.0.0.3:${port}`]);
    expect(servers.connections).toBe(before + 1);
  });

  it('T16: keeps its last addresses while DNS is away, across a reload, and takes new ones when it is back', async () => {
    const { port } = await startServers(['127.0.0.2', '127.0.0.3']);
    const dns = await startDns({ 'app.test': ['127.0.0.2'] });
    const site = {
      servers: [`http://app.test:${port}`],
      resolve: { resolver: dns.address },
    };
    const server = await startSite(site);
    await waitForAnswers(server.url, [`127.0.0.2:${port}`]);

    await dns.stop();
    await server.process.waitForStderr(
      /app\.test cannot be resolved: E\w+: its last addresses are used/,
      30_000,
    );
    expect(await listAnswers(server.url)).toEqual([`127.0.0.2:${port}`]);
    server.writeConfig({
      workers: 1,
      upstreams: { app: site },
      routes: [
        { path: '/', proxy: 'app' },
        { path: '= /new', return: 204 },
      ],
    });
    server.process.sendSignal('SIGHUP');
    await waitUntil('the reload', async () => (await fetch(`${server.url}/new`)).status === 204);
    expect(await listAnswers(server.url)).toEqual([`127.0.0.2:${port}`]);

    dns.setHosts({ 'app.test': ['127.0.0.3'] });
    await dns.restart();
    await waitForAnswers(server.url, [`127.0.0.3:${port}`]);
  });

  it('T16: is not given up because its name does not exist for a moment', async () => {
    const { port } = await startServers(['127.0.0.2']);
    const dns = await startDns({ 'app.test': ['127.0.0.2'] });
    const server = await startSite({
      servers: [`http://app.test:${port}`],
      resolve: { resolver: dns.address },
    });
    await waitForAnswers(server.url, [`127.0.0.2:${port}`]);
    dns.setHosts({});
    await server.process.waitForStderr(
      /app\.test cannot be resolved: ENOTFOUND: its last addresses are used/,
      30_000,
    );
    expect(await listAnswers(server.url)).toEqual([`127.0.0.2:${port}`]);
  });

  it('has ports, weights and reserves from SRV records', async () => {
    const [first, second, reserve] = await Promise.all(
      ['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((address) => startServers([address])),
    );
    const dns = await startDns({ 'a.test': ['127.0.0.2'], 'b.test': ['127.0.0.3'], 'c.test': ['127.0.0.4'] });
    const records = [
      `_http._tcp.shop.test,a.test,${first.port},10,3`,
      `_http._tcp.shop.test,b.test,${second.port},10,1`,
      `_http._tcp.shop.test,c.test,${reserve.port},20,1`,
    ];
    await dns.restart(records);
    const server = await startSite({
      servers: [{ url: 'http://shop.test', service: 'http' }],
      resolve: { resolver: dns.address },
    });
    const counts: Record<string, number> = {};
    for (let i = 0; i < 40; i++) {
      const { text } = await ask(server.url);
      counts[text] = (counts[text] ?? 0) + 1;
    }
    expect(counts).toEqual({ [`127.0.0.2:${first.port}`]: 30, [`127.0.0.3:${second.port}`]: 10 });

    await dns.restart([records[2]]);
    await waitForAnswers(server.url, [`127.0.0.4:${reserve.port}`]);
  });

  it('is asked for again as often as "valid" says, whatever DNS says', async () => {
    const { port } = await startServers(['127.0.0.2', '127.0.0.3']);
    const dns = await startDnsmasq(dnsmasq, { 'app.test': ['127.0.0.2'] }, 3600);
    const server = await startSite({
      servers: [`http://app.test:${port}`],
      resolve: { resolver: [dns.address], valid: '1s' },
    });
    await waitForAnswers(server.url, [`127.0.0.2:${port}`]);
    dns.setHosts({ 'app.test': ['127.0.0.3'] });
    await waitForAnswers(server.url, [`127.0.0.3:${port}`]);
  });

  it('has IPv6 addresses too, or one family only', async () => {
    const { port } = await startServers(['127.0.0.1', '::1']);
    const dns = await startDns({ 'app.test': ['127.0.0.1', '::1'] });
    const servers = [`http://app.test:${port}`];
    const resolver = dns.address;
    const both = await startSite({ servers, resolve: { resolver } });
    expect(await listAnswers(both.url)).toEqual([`127.0.0.1:${port}`, `::1:${port}`]);
    const ipv6 = await startSite({ servers, resolve: { resolver, family: 'ipv6' } });
    expect(await listAnswers(ipv6.url)).toEqual([`::1:${port}`]);
  });
});

it.each(['127.0.0.1', '::1'])('T17: localhost is found at %s', async (address) => {
  const { port } = await startServers([address]);
  const server = await startSite({ servers: [`http://localhost:${port}`] });
  expect(await listAnswers(server.url, 30)).toEqual([`${address}:${port}`]);
});

it('T17: an error names each address of localhost with its reason', async () => {
  const port = await findFreePort();
  const server = await startSite({ servers: [`http://localhost:${port}`] });
  expect((await ask(server.url)).status).toBe(502);
  for (const address of ['127.0.0.1', '[::1]']) {
    const shown = address.replaceAll(/[[\].]/g, '\\$&');
    await server.process.waitForStderr(
      new RegExp(`TSS_UPSTREAM_CONNECT: .*${shown}:${port}: connect: .*ECONNREFUSED`),
    );
  }
  // A server that is alone is tried whatever happened before, with all its addresses.
  await startServers(['127.0.0.1'], port);
  expect(await listAnswers(server.url)).toEqual([`127.0.0.1:${port}`]);
});
