import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cleanUpLater } from '../support/clean-up.ts';
import { startServer } from '../support/start-server.ts';

const total = 1024 ** 3;
const piece = Buffer.alloc(256 * 1024, 'x');

/** Resident memory of the front worker of a server, in bytes. */
function readWorkerRss(masterPid: number): number {
  const [worker] = readFileSync(`/proc/${masterPid}/task/${masterPid}/children`, 'utf8').trim().split(' ');
  const status = readFileSync(`/proc/${worker}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function startUpstream(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** Runs `work` and gives the largest growth of the worker's resident memory meanwhile. */
async function measureGrowth(masterPid: number, work: () => Promise<void>): Promise<number> {
  const before = readWorkerRss(masterPid);
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, readWorkerRss(masterPid));
  }, 50);
  await work();
  clearInterval(timer);
  return peak - before;
}

/** Reads slowly at first, so that everything in front of it backs up, then as fast as it can. */
async function readSlowly(source: IncomingMessage): Promise<number> {
  let bytes = 0;
  let pauses = 40;
  for await (const chunk of source) {
    bytes += (chunk as Buffer).length;
    if (pauses-- > 0) await sleep(50);
  }
  return bytes;
}

describe('a body of 1 GiB', () => {
  it('uploaded to a slow upstream costs the worker less than 64 MiB', async () => {
    let received = 0;
    const upstream = await startUpstream(async (incoming, response) => {
      received = await readSlowly(incoming);
      response.end('done');
    });
    const server = await startServer({
      workers: 1,
      limits: { body: 0 },
      upstreams: { slow: { servers: [upstream] } },
      routes: [{ path: '/', proxy: 'slow' }],
    });
    await fetch(server.url, { method: 'POST', body: 'warm' });
    const growth = await measureGrowth(server.process.pid, async () => {
      const status = await new Promise<number>((resolve, reject) => {
        const upload = request(
          server.url,
          { method: 'PUT', headers: { 'Content-Length': total } },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        upload.on('error', reject);
        let left = total;
        const send = (): void => {
          while (left > 0) {
            left -= piece.length;
            if (!upload.write(piece)) {
              upload.once('drain', send);
              return;
            }
          }
          upload.end();
        };
        send();
      });
      expect(status).toBe(200);
    });
    expect(received).toBe(total);
    expect(growth).toBeLessThan(64 * 1024 * 1024);
  }, 120_000);

  it('downloaded by a slow client costs the worker less than 64 MiB', async () => {
    const upstream = await startUpstream((_incoming, response) => {
      response.writeHead(200, { 'Content-Length': total });
      let left = total;
      const send = (): void => {
        while (left > 0) {
          left -= piece.length;
          if (!response.write(piece)) {
            response.once('drain', send);
            return;
          }
        }
        response.end();
      };
      send();
    });
    const server = await startServer({
      workers: 1,
      upstreams: { fast: { servers: [upstream] } },
      routes: [{ path: '/', proxy: 'fast' }],
    });
    let received = 0;
    const growth = await measureGrowth(server.process.pid, async () => {
      received = await new Promise<number>((resolve, reject) => {
        request(server.url, (response) => void readSlowly(response).then(resolve, reject)).end();
      });
    });
    expect(received).toBe(total);
    expect(growth).toBeLessThan(64 * 1024 * 1024);
  }, 120_000);
});
