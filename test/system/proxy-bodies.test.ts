import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type NodeUpstream, startNodeUpstream } from '../support/node-upstream.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A server over upstreams of the test's making, with the settings of its proxy. */
function startProxy(
  upstreams: readonly NodeUpstream[],
  proxy: object = {},
  more: object = {},
): Promise<StartedServer> {
  return startServer(
    {
      workers: 1,
      limits: { body: 0 },
      upstreams: { app: { servers: upstreams.map(({ url }) => url) } },
      routes: [{ path: '/', proxy: { upstream: 'app', ...proxy } }],
    },
    more,
  );
}

/** Whether a process is that one or was started by it. */
function isBelow(pid: string, ancestor: number): boolean {
  if (Number(pid) === ancestor) return true;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1] ?? '0';
    return parent !== '0' && isBelow(parent, ancestor);
  } catch {
    return false;
  }
}

function listFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Temporary files that processes of a server have open. */
function countTemporaryFiles(server: StartedServer): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => isBelow(pid, server.process.pid))
    .flatMap(listFiles)
    .filter((path) => /tsserve-[0-9a-f]{24}/.test(path)).length;
}

describe.each<[string, object]>([
  ['streamed', {}],
  ['buffered', { buffering: true }],
])('T5, T28: an event stream that is %s', (_, settings) => {
  test('shows its first event at once, each next one as it comes, and its end', async () => {
    let stream: ServerResponse | null = null;
    const upstream = await startNodeUpstream('events', (_request, response) => {
      stream = response;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 0\n\n');
    });
    const server = await startProxy([upstream], settings);
    const [response] = (await once(request(server.url).end(), 'response')) as [IncomingMessage];
    for (let i = 0; i < 5; i++) {
      const [chunk] = (await once(response, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(`data: ${i}\n\n`);
      const next = stream as ServerResponse | null;
      if (i < 4) setImmediate(() => next?.write(`data: ${i + 1}\n\n`));
      else setImmediate(() => next?.end());
    }
    await once(response, 'end');
    expect(response.complete).toBe(true);
  });

  test('is closed at the upstream when the client leaves, and cut at the client when the upstream does', async () => {
    const open = new Set<Socket>();
    const upstream = await startNodeUpstream('events', (_request, response) => {
      const socket = response.socket as Socket;
      open.add(socket);
      response.on('close', () => open.delete(socket));
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 0\n\n');
    });
    const server = await startProxy([upstream], settings);
    const leaving = request(server.url).end();
    leaving.on('error', () => {});
    const [response] = (await once(leaving, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    await once(response, 'data');
    expect(open.size).toBe(1);
    leaving.destroy();
    await waitUntil('the upstream is told', () => open.size === 0);
    const asking = request(server.url).end();
    asking.on('error', () => {});
    const [cut] = (await once(asking, 'response')) as [IncomingMessage];
    cut.on('error', () => {});
    await once(cut, 'data');
    const failed = once(cut, 'error');
    for (const socket of open) socket.destroy();
    await failed;
    expect(cut.complete).toBe(false);
  });
});

describe('a request body', () => {
  test.each<[string, object]>([
    ['streamed', {}],
    ['buffered', { requestBuffering: { memory: '4k' } }],
  ])('T6: that is %s arrives as it was sent, whatever its size and framing', async (_, settings) => {
    const upstream = await startNodeUpstream('echo', (incoming, response) => incoming.pipe(response));
    const server = await startProxy([upstream], settings);
    for (const text of ['', 'x', '{}', 'x'.repeat(4096), 'y'.repeat(4097), 'z'.repeat(5_000_000)]) {
      for (const isChunked of [false, true]) {
        const fields: Record<string, string> = isChunked
          ? { 'Transfer-Encoding': 'chunked' }
          : { 'Content-Length': String(text.length) };
        const sent = request(server.url, { method: 'POST', headers: fields });
        sent.end(text);
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        let got = '';
        for await (const chunk of response.setEncoding('latin1')) got += chunk;
        expect([response.statusCode, got.length, got === text]).toEqual([200, text.length, true]);
      }
    }
    await waitUntil('no file is left', () => countTemporaryFiles(server) === 0);
  });

  test('T8: that is buffered is sent to the next server when one dies of it, unless it is a POST', async () => {
    const bodies: number[] = [];
    const dying = await startNodeUpstream('dying', (incoming) => {
      incoming.once('data', () => incoming.socket.destroy());
    });
    const well = await startNodeUpstream('well', (incoming, response) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('end', () => {
        bodies.push(bytes);
        response.end('ok');
      });
    });
    const server = await startProxy([dying, well], { requestBuffering: { memory: '4k' } });
    const body = Buffer.alloc(300_000, 'x');
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await fetch(server.url, { method: 'PUT', body })).status);
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(bodies).toEqual([300_000, 300_000, 300_000, 300_000]);
    expect(dying.requestCount).toBeGreaterThan(0);
    const alone = await startProxy([dying, well], { requestBuffering: true });
    const posts = [];
    for (let i = 0; i < 2; i++) posts.push((await fetch(alone.url, { method: 'POST', body })).status);
    expect(posts.sort()).toEqual([200, 502]);
    expect(bodies).toHaveLength(5);
  });

  test('that finds no room is a 503, one whose file cannot be written a 500, and serving goes on', async () => {
    const upstream = await startNodeUpstream('app', (incoming, response) => {
      incoming.resume().on('end', () => response.end('ok'));
    });
    const put = async (server: StartedServer, bytes: number) =>
      (await fetch(server.url, { method: 'PUT', body: Buffer.alloc(bytes) })).status;
    const bounded = await startProxy([upstream], { requestBuffering: { memory: '4k', disk: '100k' } });
    expect(await put(bounded, 200_000)).toBe(503);
    expect(await put(bounded, 90_000)).toBe(200);
    await bounded.process.waitForStderr(/TSS_BUFFER_FULL/);
    // No file may be longer than that: to a program it is a disk that is full.
    const before = ['sh', '-c', 'ulimit -f 200; exec "$@"', 'sh'];
    const full = await startProxy([upstream], { requestBuffering: { memory: '4k' } }, { before });
    expect(await put(full, 1_000_000)).toBe(500);
    await full.process.waitForStderr(/TSS_BUFFER_FILE/);
    expect(await put(full, 4000)).toBe(200);
    await waitUntil('no file is left', () => countTemporaryFiles(full) + countTemporaryFiles(bounded) === 0);
  });
});

describe('a response body', () => {
  test('that is buffered frees the upstream of a slow client, which gets all of it', async () => {
    const length = 20_000_000;
    let finished = 0;
    const upstream = await startNodeUpstream('large', (_, response) => {
      response.setHeader('Content-Length', length);
      response.end(Buffer.alloc(length, 'x'), () => finished++);
    });
    const server = await startProxy([upstream], { buffering: true });
    const raw = await openRawSocket(server.port);
    raw.socket.pause();
    await raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitUntil('the upstream is done', () => finished === 1);
    expect(countTemporaryFiles(server)).toBe(1);
    raw.socket.resume();
    const [reply] = await raw.readReplies(1, ['GET'], 30_000);
    expect([reply.complete, reply.body.length]).toEqual([true, length]);
    await waitUntil('the file is gone', () => countTemporaryFiles(server) === 0);
  });

  test('that is buffered and not wanted any more leaves nothing behind', async () => {
    const upstream = await startNodeUpstream('endless', (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(500_000)), 5);
      response.on('close', () => clearInterval(timer));
    });
    const server = await startProxy([upstream], { buffering: { disk: '10m' } });
    const raw = await openRawSocket(server.port);
    raw.socket.pause();
    await raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitUntil('a file is there', () => countTemporaryFiles(server) === 1);
    raw.destroy();
    await waitUntil(
      'all is let go',
      () => countTemporaryFiles(server) === 0 && upstream.connectionCount === 0,
    );
  });
});
