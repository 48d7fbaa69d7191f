import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { readField } from '../support/parse-replies.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';

const piece = Buffer.alloc(64 * 1024, 'x');

/** Announces `length` bytes, sends until the answer is there or everything is sent, and gives what came. */
async function upload(server: StartedServer, path: string, length: number) {
  const raw = await openRawSocket(server.port);
  await raw.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
  let sent = 0;
  while (sent < length && raw.closedBy === null && !raw.received.includes('\r\n\r\n')) {
    sent += piece.length;
    if (!raw.socket.write(piece)) await Promise.race([once(raw.socket, 'drain'), once(raw.socket, 'close')]);
  }
  // Goes on for a while, as a client that has not looked yet does.
  for (let i = 0; i < 20 && raw.closedBy === null; i++) raw.socket.write(piece);
  const [reply] = await raw.readReplies(1);
  return { raw, reply, sent };
}

describe('T7: an answer that comes before the body was read', () => {
  it('reaches the client when it is our own: 413, 405, 404', async () => {
    const server = await startServer(
      { workers: 1, limits: { body: '1m' }, routes: [{ path: '/files/', static: 'public' }] },
      { files: { 'public/files/a.txt': 'a' } },
    );
    for (const [path, length, status] of [
      ['/files/a.txt', 500_000_000, 413],
      ['/files/a.txt', 1_000_000, 405],
      ['/nowhere', 1_000_000, 404],
    ] as const) {
      const { raw, reply, sent } = await upload(server, path, length);
      expect([path, reply.status, reply.complete]).toEqual([path, status, true]);
      expect(sent).toBeLessThan(50_000_000);
      // With bytes of the body unread, the connection can not carry another request.
      expect(readField(reply, 'connection')).toBe('close');
      await raw.readUntilClose();
      expect(raw.received.toString().match(/HTTP\/1\.1 /g)).toHaveLength(1);
    }
    expect((await fetch(`${server.url}/files/a.txt`)).status).toBe(200);
  });

  it("reaches the client when it is the upstream's, which is not used again for it", async () => {
    const upstream = await startNodeUpstream('up', (request, response) => {
      if (request.method === 'POST') response.writeHead(401, { 'X-Early': '1' }).end('who are you?');
      else response.end('fine');
    });
    const server = await startServer({
      workers: 1,
      limits: { body: 0 },
      upstreams: { up: { servers: [upstream.url] } },
      routes: [{ path: '/', proxy: 'up' }],
    });
    for (let i = 0; i < 20; i++) {
      const { reply, sent, raw } = await upload(server, '/', 300_000_000);
      expect(reply.status).toBe(401);
      expect(reply.body.toString()).toBe('who are you?');
      expect(sent).toBeLessThan(100_000_000);
      raw.destroy();
      expect(await (await fetch(server.url)).text()).toBe('fine');
    }
    expect(upstream.requests.filter(({ method }) => method === 'POST')).toHaveLength(20);
  });

  it("reaches the client when it is an application's", async () => {
    const app =
      'export default (request) => request.method === "POST" ? new Response("too much", { status: 413 }) : new Response("fine");';
    const server = await startServer(
      {
        workers: 1,
        limits: { body: 0 },
        upstreams: { api: { app: 'api.mjs' } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.mjs': app } },
    );
    const { reply } = await upload(server, '/', 300_000_000);
    expect([reply.status, reply.body.toString()]).toEqual([413, 'too much']);
    expect(await (await fetch(server.url)).text()).toBe('fine');
  });
});
