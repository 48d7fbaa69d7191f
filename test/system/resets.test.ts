import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The only worker of a server. */
function findWorker(server: StartedServer): number {
  const { pid } = server.process;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
}

function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** A number below `below`; the same sequence in each run. */
let state = 7;
function random(below: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** Runs `count` tasks, `width` at a time. */
async function repeat(count: number, width: number, task: () => Promise<void>): Promise<void> {
  let left = count;
  const runOne = async (): Promise<void> => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: width }, runOne));
}

const requests = [
  'GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /up/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /up/large HTTP/1.1\r\nHost: a\r\n\r\n',
  `POST /up/ HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`,
  `POST /up/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(20)}0\r\n\r\n`,
  'GET /up/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
];

/** A client that cuts its connection somewhere in its request, or somewhere in the answer. */
function cutAsClient(port: number): Promise<void> {
  return new Promise((resolve) => {
    const request = requests[random(requests.length)];
    const sent = random(2) === 0 ? request.length : random(request.length);
    const readBytes = random(3) === 0 ? 0 : random(100_000);
    const socket = connect(port, '127.0.0.1');
    const cut = () => socket.resetAndDestroy();
    let read = 0;
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('data', (bytes) => {
      read += bytes.length;
      if (read >= readBytes) cut();
    });
    socket.on('connect', () => {
      socket.write(request.slice(0, sent), () => {
        if (sent < request.length || readBytes === 0) cut();
      });
    });
    setTimeout(cut, 20 + random(30));
  });
}

/** An upstream that cuts each connection somewhere: at once, in the head, in the body, or behind it. */
async function startCuttingUpstream(): Promise<number> {
  const reply = `HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`;
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    if (random(5) === 0) {
      socket.resetAndDestroy();
      return;
    }
    socket.on('data', () => {
      const part = reply.slice(0, [reply.length, random(60), random(reply.length)][random(3)]);
      socket.write(part, () => {
        if (part.length < reply.length || random(2) === 0) socket.resetAndDestroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => void server.close());
  return (server.address() as { port: number }).port;
}

describe('T1 T3: connections that are reset at every phase', () => {
  it('10,000 times by clients and 10,000 times by upstreams leave the same process, and no socket', async () => {
    const upstream = await startNodeUpstream('up', (request, response) => {
      request.resume();
      request.on('end', () => response.end(request.url === '/up/large' ? Buffer.alloc(300_000) : 'up'));
      request.on('error', () => {});
    });
    const cutting = await startCuttingUpstream();
    const server = await startServer(
      {
        workers: 1,
        upstreams: {
          up: { servers: [upstream.url] },
          cutting: { servers: [{ url: `http://127.0.0.1:${cutting}`, maxFails: 0 }] },
        },
        routes: [
          { path: '/', static: 'public' },
          { path: '/up/', proxy: 'up' },
          { path: '/cutting/', proxy: 'cutting' },
        ],
        errorLog: { level: 'crit' },
      },
      { files: { 'public/small.txt': 'small', 'public/large.bin': Buffer.alloc(2_000_000) } },
    );
    await fetch(`${server.url}/small.txt`);
    const worker = findWorker(server);
    await repeat(200, 20, () => cutAsClient(server.port));
    await sleep(1500);
    const before = countDescriptors(worker);
    await repeat(10_000, 50, () => cutAsClient(server.port));
    const statuses = new Map<string, number>();
    await repeat(10_000, 50, async () => {
      const outcome = await fetch(`${server.url}/cutting/`, { headers: { Connection: 'close' } })
        .then(async (response) => `${response.status} ${(await response.text()).length}`)
        .catch(() => 'cut');
      statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
    });
    // Whole, refused, or visibly cut: never a part that looks like the whole.
    expect([...statuses.keys()].filter((outcome) => !/^(200 5000|502 16|503 24|cut)$/.test(outcome))).toEqual(
      [],
    );
    expect(statuses.get('200 5000')).toBeGreaterThan(100);
    expect(statuses.get('cut')).toBeGreaterThan(100);
    expect((await fetch(`${server.url}/small.txt`, { headers: { Connection: 'close' } })).status).toBe(200);
    expect(findWorker(server)).toBe(worker);
    // Idle keep-alive connections to the upstream may stay, within the pool's bound, for 4 s.
    await waitUntil('the descriptors are back', () => countDescriptors(worker) <= before + 2, 10_000);
    expect(server.process.stderr).not.toMatch(/uncaught|TypeError|AssertionError/);
  }, 180_000);
});
