import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

let server: StartedServer;

const upstream = (file: string) => ({
  app: `${repositoryRoot}test/system/applications/${file}`,
  interface: 'node',
});

beforeAll(async () => {
  server = await startServer(
    {
      workers: 1,
      upstreams: { server: upstream('websocket-server.ts'), init: upstream('websocket-init.ts') },
      routes: [
        { path: '/sockets/server', proxy: 'server' },
        { path: '/sockets/init', proxy: 'init' },
      ],
    },
    { timeoutMs: 40_000 },
  );
  for (const path of ['server', 'init']) {
    await waitUntil('the instance', async () => (await fetch(`${server.url}/sockets/${path}`)).ok, 40_000);
  }
});

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`);
  await once(socket, 'open');
  return socket;
}

async function readMessage(socket: WebSocket): Promise<Buffer> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data;
}

describe('WebSockets', () => {
  test('G3, G36: of a server that is the application', async () => {
    const socket = await open('/sockets/server');
    socket.send('hello');
    expect((await readMessage(socket)).toString()).toBe('/sockets/server: hello');
    const bytes = Buffer.alloc(300_000, 7);
    socket.send(bytes);
    expect((await readMessage(socket)).equals(bytes)).toBe(true);
    socket.close();
    await once(socket, 'close');
  });

  test.each(['server', 'init'])('beside which requests are answered as ever: %s', async (path) => {
    expect(await (await fetch(`${server.url}/sockets/${path}`)).text()).toBe('http');
  });

  test('T4: one that the application refuses is a failed handshake, and nothing else', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/sockets/server/other`);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('400');
    expect(await (await fetch(`${server.url}/sockets/server`)).text()).toBe('http');
  });

  test('G36, G37, G43: on the server that init is given: closed by the application when the instance ends', async () => {
    const socket = await open('/sockets/init');
    socket.send('hello');
    expect((await readMessage(socket)).toString()).toBe('hello');
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    server.process.sendSignal('SIGHUP');
    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([1001, 'the server goes away']);
  });
});
