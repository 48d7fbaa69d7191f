import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FetchServer } from '../../src/app-host/fetch-server.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { frameTypes } from '../../src/mux/frames.ts';
import { MuxLink } from '../../src/mux/mux-link.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

async function startFetchServer(handle: () => Response | Promise<Response>) {
  const path = join(createTempFolder(), 'app.sock');
  const server = new FetchServer(handle, 1);
  await server.listen(path);
  const timers = new TimerWheel(10);
  let closed = false;
  const link = new MuxLink({
    path,
    timers,
    onClosed: () => {
      closed = true;
    },
  });
  cleanUpLater(() => {
    link.close();
    timers.close();
  });
  return { server, path, link, isClosed: () => closed };
}

function send(link: MuxLink): { status: number; failure: Error | null } {
  const outcome = { status: 0, failure: null as Error | null };
  const request = { method: 'GET', head: 'GET / HTTP/1.1\r\nHost: a\r\n', body: null };
  link.takeStream().send(
    { ...request, sendTimeoutMs: 0, readTimeoutMs: 0 },
    {
      onResponse: ({ status }) => {
        outcome.status = status;
      },
      onFailure: (error) => {
        outcome.failure = error;
      },
      onEnd: () => {},
    },
  );
  return outcome;
}

describe('an instance that ends, with a connection for many requests', () => {
  it('waits for the answer to what runs, and for nothing else', async () => {
    const { server, link, isClosed } = await startFetchServer(async () => {
      await sleep(100);
      return new Response('x');
    });
    await waitUntil('the link is there', () => link.ready, 5000);
    const outcome = send(link);
    await sleep(20);
    await server.drain();
    expect(outcome).toEqual({ status: 200, failure: null });
    expect(isClosed()).toBe(true);
  });

  it('wants no requests of one that begins only then', async () => {
    const { server, path } = await startFetchServer(() => new Response('x'));
    const socket = await openRawSocket(path);
    await socket.send('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n');
    await sleep(50);
    const drained = server.drain();
    await socket.send('Upgrade: tsserve-mux\r\n\r\n');
    const leaving = Buffer.from([0, 0, 0, 0, frameTypes.leaving, 0, 0, 0, 0]);
    await waitUntil('it says so', () => socket.received.includes(leaving), 5000);
    socket.destroy();
    await drained;
  });
});
