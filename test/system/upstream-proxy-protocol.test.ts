// Servers that are told whose connection it is, by the PROXY protocol: nginx says what it understood.

import { Agent, request } from 'node:http';
import { beforeAll, expect, it } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { findFreePorts } from '../support/free-port.ts';
import { startNginx } from '../support/nginx.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { startServer } from '../support/start-server.ts';

/** A request over a connection of one's own, with the port that it came from. */
function ask(url: string, agent: Agent, headers = {}): Promise<{ text: string; port: number }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const port = response.socket.localPort ?? 0;
      response.once('end', () => resolve({ text, port }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

describeWithTool('nginx', 'a server that expects the PROXY protocol', (nginx) => {
  const authority = createAuthority();
  const { cert, key } = authority.issue('app.test');
  let ports: number[];

  beforeAll(async () => {
    ports = await findFreePorts(2);
    const answer =
      'return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $connection_requests";';
    await startNginx(
      nginx,
      ports[0],
      `server { listen 127.0.0.1:${ports[0]} proxy_protocol; location / { ${answer} } }
       server {
         listen 127.0.0.1:${ports[1]} ssl proxy_protocol;
         ssl_certificate ${cert};
         ssl_certificate_key ${key};
         location / { ${answer} }
       }`,
    );
  });

  it.each([
    ['v1', 'http'],
    ['v2', 'http'],
    ['v1', 'https'],
    ['v2', 'https'],
  ])('learns each client by version %s over %s', async (proxyProtocol, scheme) => {
    const tls = scheme === 'https' ? { tls: { ca: authority.ca } } : {};
    const servers = [`${scheme}://127.0.0.1:${ports[scheme === 'https' ? 1 : 0]}`];
    const server = await startServer({
      workers: 1,
      upstreams: { app: { servers, proxyProtocol, ...tls } },
      routes: [{ path: '/', proxy: 'app' }],
    });
    const agents = [
      new Agent({ keepAlive: true }),
      new Agent({ keepAlive: true, localAddress: '127.0.0.5' }),
    ];
    for (let turn = 0; turn < 3; turn++) {
      for (const [i, agent] of agents.entries()) {
        const { text, port } = await ask(`${server.url}/`, agent);
        // The last number: no connection carries a second request.
        expect(text).toBe(`${i === 0 ? '127.0.0.1' : '127.0.0.5'} ${port} 127.0.0.1 1`);
      }
    }
    for (const agent of agents) agent.destroy();
  });

  it('learns the client that a trusted proxy names, whose port nobody knows', async () => {
    const server = await startServer({
      workers: 1,
      trustedProxies: ['127.0.0.1'],
      upstreams: { app: { servers: [`http://127.0.0.1:${ports[0]}`], proxyProtocol: 'v2' } },
      routes: [{ path: '/', proxy: 'app' }],
    });
    const agent = new Agent();
    expect((await ask(server.url, agent, { 'X-Forwarded-For': '203.0.113.9' })).text).toBe(
      '203.0.113.9  127.0.0.1 1',
    );
    expect((await ask(server.url, agent, { 'X-Forwarded-For': '2001:db8::9' })).text).toBe(
      '2001:db8::9  ::ffff:127.0.0.1 1',
    );
  });
});
