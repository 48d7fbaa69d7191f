// The examples of docs/load-balancing.md about addresses do what the document says, with real peers in place of the
// addresses in them.

import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createRawServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { startDnsmasq } from '../support/dnsmasq.ts';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, startServer } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const markdown = readFileSync(`${repositoryRoot}docs/load-balancing.md`, 'utf8');
const section = /^## Addresses\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(markdown)?.[1] ?? '';
const examples = [...section.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
const authority = createAuthority();

/** What an example answers, its addresses being others. */
async function ask(example: string, changes: Record<string, string>): Promise<string> {
  let text = example;
  for (const [from, to] of Object.entries(changes)) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  const { listen: _, ...site } = parse(text) as SiteConfig;
  const server = await startServer({ ...site, workers: 1 });
  return (await fetch(server.url)).text();
}

/** A server with TLS that answers with the names that it was asked for and that the client has. */
async function startSecure(): Promise<number> {
  const { cert, key } = authority.issue('app.internal');
  const options = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(authority.ca) };
  const server = createSecureServer(
    { ...options, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as TLSSocket & { servername: string | false };
      response.end(`${socket.servername} ${socket.getPeerCertificate().subject?.CN} ${socket.getProtocol()}`);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

describeWithTool('dnsmasq', 'docs/load-balancing.md has examples of addresses', (dnsmasq) => {
  test('with names', async () => {
    const peer = await startNodeUpstream('named');
    const dns = await startDnsmasq(dnsmasq, { 'app.test': ['127.0.0.1'] });
    const changes = { 'app.internal:3000': `app.test:${peer.port}`, '127.0.0.1:5353': dns.address };
    expect(await ask(examples[0], changes)).toBe('named\n');
  });

  test('with services', async () => {
    const peer = await startNodeUpstream('service');
    const dns = await startDnsmasq(dnsmasq, { 'one.test': ['127.0.0.1'] });
    await dns.restart([`_http._tcp.shop.test,one.test,${peer.port},0,1`]);
    const changes = { 'shop.internal': 'shop.test', '127.0.0.1:5353': dns.address };
    expect(await ask(examples[1], changes)).toBe('service\n');
  });

  test('of sockets', async () => {
    const path = join(createTempFolder(), 'app.sock');
    const peer = createRawServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsocket'));
    });
    await new Promise<void>((resolve) => peer.listen(path, resolve));
    cleanUpLater(() => void peer.close());
    expect(await ask(examples[2], { '/run/app/app.sock': path })).toBe('socket');
  });

  test('of TLS', async () => {
    const folder = createTempFolder();
    const client = authority.issue('front');
    mkdirSync(join(folder, 'tls'));
    copyFileSync(authority.ca, join(folder, 'tls/ca.pem'));
    copyFileSync(client.cert, join(folder, 'tls/client.pem'));
    copyFileSync(client.key, join(folder, 'tls/client.key'));
    const changes = {
      '10.0.0.11:8443': `127.0.0.1:${await startSecure()}`,
      '10.0.0.12:8443': `127.0.0.1:${await startSecure()}`,
      'tls/': `${folder}/tls/`,
    };
    expect(await ask(examples[3], changes)).toBe('app.internal front TLSv1.3');
  });

  test('of TLS that is not verified', async () => {
    const changes = { '127.0.0.1:8443': `127.0.0.1:${await startSecure()}` };
    expect(await ask(examples[4], changes)).toBe('false undefined TLSv1.3');
  });

  test('of the PROXY protocol', async () => {
    const peer = createRawServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => {
        const isBinary = data
          .toString('latin1')
          .startsWith('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01');
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${isBinary}`);
      });
    });
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    cleanUpLater(() => void peer.close());
    const { port } = peer.address() as AddressInfo;
    expect(await ask(examples[5], { '127.0.0.1:3000': `127.0.0.1:${port}` })).toBe('true');
  });

  test('and no others', () => {
    expect(examples).toHaveLength(6);
  });
});
