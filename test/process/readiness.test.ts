import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Readiness, type ReadyTest } from '../../src/process/readiness.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A server on a unix socket that begins to listen when told to. */
function createPeer(answer: (socket: Socket) => void) {
  const path = join(createTempFolder(), 's.sock');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  cleanUpLater(() => server.close());
  return { path, listen: () => server.listen(path) };
}

function watch(readyTest: ReadyTest, path: string) {
  let ready = 0;
  const readiness = new Readiness(readyTest, { path }, () => ready++);
  cleanUpLater(() => readiness.stop());
  return { readiness, count: () => ready };
}

describe('a program is ready', () => {
  test('when it accepts connections', async () => {
    const peer = createPeer(() => {});
    const { readiness, count } = watch({ kind: 'connect' }, peer.path);
    await waitUntil('a try', () => readiness.obstacle === 'it does not accept connections (ENOENT)');
    peer.listen();
    await waitUntil('ready', () => count() === 1);
  });

  test.each([
    ['HTTP/1.1 204 No Content\r\n', undefined, ''],
    ['HTTP/1.1 301 Moved\r\n', undefined, ''],
    ['HTTP/1.1 500 Oops\r\n', undefined, 'GET /up was answered 500'],
    ['HTTP/1.1 404 None\r\n', 404, ''],
    ['HTTP/1.1 200 OK\r\n', 404, 'GET /up was answered 200'],
    ['SSH-2.0-x\r\n', undefined, 'GET /up was not answered in HTTP'],
    ['', undefined, 'GET /up was not answered'],
  ])('when a request is answered as it should: %j, %s', async (line, status, obstacle) => {
    const peer = createPeer((socket) => socket.end(line));
    peer.listen();
    const { readiness, count } = watch({ kind: 'request', path: '/up', status }, peer.path);
    await waitUntil(
      'an outcome',
      () => count() === 1 || (obstacle !== '' && readiness.obstacle === obstacle),
    );
    expect(count()).toBe(obstacle === '' ? 1 : 0);
  });

  test('when it says so, and once', () => {
    const { readiness, count } = watch({ kind: 'line', pattern: /^listening/ }, '/nowhere');
    readiness.noteLine('not listening');
    expect(count()).toBe(0);
    readiness.noteLine('listening');
    readiness.noteLine('listening');
    expect(count()).toBe(1);
  });

  test('to nobody who has stopped asking', async () => {
    const peer = createPeer(() => {});
    const { readiness, count } = watch({ kind: 'connect' }, peer.path);
    readiness.stop();
    peer.listen();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(count()).toBe(0);
  });
});
