// A client that leaves in the middle of its own body.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { waitUntil } from '../support/wait-until.ts';
import { drainServers, serve, watchReports } from './serve-application.ts';

afterEach(async () => {
  await drainServers();
  vi.restoreAllMocks();
});

test.each([
  ['answers', () => new Response('too short', { status: 400 })],
  [
    'throws',
    (error: unknown) => {
      throw error;
    },
  ],
])(
  'G34, G35: the signal is aborted before the body fails, and a function that then %s is not reported',
  async (_, react) => {
    const reports = watchReports();
    const seen: unknown[] = [];
    const path = await serve(async (request, { signal }) => {
      signal.addEventListener('abort', () => seen.push('abort'));
      try {
        return new Response(await request.text());
      } catch (error) {
        seen.push((error as Error).message, signal.aborted);
        return react(error);
      }
    });
    const socket = connect(path);
    await once(socket, 'connect');
    const closed = once(socket.resume(), 'close');
    socket.end('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf');
    await waitUntil('the failure', () => seen.length === 3);
    expect(seen).toEqual(['abort', 'TSS_CLIENT_CLOSED: the client ended before its body was complete', true]);
    await closed;
    expect(reports).toEqual([]);
  },
);
