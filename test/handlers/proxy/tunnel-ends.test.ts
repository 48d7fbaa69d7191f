import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { resetStream } from '../../../src/handlers/proxy/tunnel-ends.ts';
import { createTempFolder } from '../../support/temp-folder.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** The server's end of a connection, and how the client's end closes: with the error's code, or "end". */
async function connectTo(where: string | number): Promise<{ socket: Socket; outcome: Promise<string> }> {
  const server = createServer();
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const bound = server.address();
  const client = typeof bound === 'object' && bound !== null ? connect(bound.port) : connect(String(where));
  const outcome = new Promise<string>((resolve) => {
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    client.on('end', () => resolve('end')).resume();
  });
  return { socket: await accepted, outcome };
}

test('T5: a cut is a reset where the transport has one', async () => {
  const { socket, outcome } = await connectTo(0);
  resetStream(socket);
  expect(await outcome).toBe('ECONNRESET');
});

test('T1: a cut of a unix socket closes it, and throws nothing', async () => {
  const { socket, outcome } = await connectTo(join(createTempFolder(), 'x.sock'));
  resetStream(socket);
  expect(await outcome).toBe('end');
  expect(socket.destroyed).toBe(true);
});
