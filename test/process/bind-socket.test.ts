import { lookup } from 'node:dns/promises';
import { existsSync, lstatSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type BoundSocket, bindSockets, closeSocket } from '../../src/process/bind-socket.ts';
import { ListeningSockets } from '../../src/process/listening-sockets.ts';
import { createTempFolder } from '../support/temp-folder.ts';

vi.mock('node:dns/promises', async (load) => {
  const real = await load<typeof import('node:dns/promises')>();
  return { ...real, lookup: vi.fn(real.lookup) };
});

const tcp = (port: number, host: string | null = '127.0.0.1') => ({
  key: `tcp:${host}:${port}`,
  host,
  port,
  path: null,
});
const unix = (path: string) => ({ key: `unix:${path}`, host: null, port: 0, path });

async function bindAll(address: Parameters<typeof bindSockets>[0]): Promise<BoundSocket[]> {
  const sockets = await bindSockets(address);
  onTestFinished(() => sockets.forEach(closeSocket));
  return sockets;
}

async function bind(address: Parameters<typeof bindSockets>[0]): Promise<BoundSocket> {
  const [socket] = await bindAll(address);
  return socket;
}

async function listen(where: object): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('hello'));
  await new Promise<void>((resolve) => server.listen(where, resolve));
  onTestFinished(() => void server.close());
  return server;
}

/** What a look-up gives. */
function found(...addresses: [address: string, family: 4 | 6][]): { address: string; family: number }[] {
  return addresses.map(([address, family]) => ({ address, family }));
}

function ask(where: number | string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = typeof where === 'number' ? connect(where, host) : connect(where);
    socket.on('data', (data) => resolve(String(data)));
    socket.on('error', reject);
  });
}

describe('a bound socket', () => {
  test('can be listened on, and knows its port', async () => {
    const socket = await bind(tcp(0));
    expect(socket.name).toBe(`http://127.0.0.1:${socket.port}`);
    await listen(socket.handle);
    expect(await ask(socket.port)).toBe('hello');
  });

  test('takes no connection while nobody listens', async () => {
    const socket = await bind(tcp(0));
    await expect(ask(socket.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('without a host takes every address', async () => {
    const socket = await bind(tcp(0, null));
    await listen(socket.handle);
    expect(await ask(socket.port)).toBe('hello');
    expect(socket.name).toBe(`http://localhost:${socket.port}`);
  });

  test('of a name is bound wherever the name leads, with one port', async () => {
    vi.mocked(lookup).mockResolvedValueOnce(
      found(['127.0.0.1', 4], ['127.0.0.2', 4], ['127.0.0.1', 4]) as never,
    );
    const sockets = await bindAll(tcp(0, 'some-name'));
    expect(sockets.map(({ id }) => id)).toEqual(['tcp:some-name:0', 'tcp:some-name:0 2']);
    const [{ port }] = sockets;
    expect(sockets.map((socket) => socket.port)).toEqual([port, port]);
    expect(sockets.map(({ name }) => name)).toEqual(Array(2).fill(`http://some-name:${port}`));
    for (const [i, { handle }] of sockets.entries()) {
      await listen(handle);
      expect(await ask(port, `127.0.0.${i + 1}`)).toBe('hello');
    }
  });

  test('of a name with an address that this machine has not is bound to the others', async () => {
    vi.mocked(lookup).mockResolvedValueOnce(found(['192.0.2.1', 4], ['127.0.0.1', 4]) as never);
    const sockets = await bindAll(tcp(0, 'some-name'));
    expect(sockets.map(({ id }) => id)).toEqual(['tcp:some-name:0']);
    await listen(sockets[0].handle);
    expect(await ask(sockets[0].port)).toBe('hello');
  });
});

describe('an address that cannot be had', () => {
  test('a name with an address that is busy is bound nowhere', async () => {
    const port = ((await listen({ port: 0, host: '127.0.0.2' })).address() as { port: number }).port;
    vi.mocked(lookup).mockResolvedValueOnce(found(['127.0.0.1', 4], ['127.0.0.2', 4]) as never);
    await expect(bindSockets(tcp(port, 'some-name'))).rejects.toThrow(
      `cannot listen on some-name:${port}: the address is already in use`,
    );
    expect((await bind(tcp(port))).port).toBe(port);
  });

  test('a name that nobody knows', async () => {
    vi.mocked(lookup).mockRejectedValueOnce(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    await expect(bindSockets(tcp(0, 'some-name'))).rejects.toThrow('the host name is not known');
  });

  test('T24: a busy port is named, with its holder', async () => {
    const port = ((await listen({ port: 0, host: '127.0.0.1' })).address() as { port: number }).port;
    const attempt = bindSockets(tcp(port));
    await expect(attempt).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the address is already in use`,
    );
    if (existsSync('/proc/net/tcp'))
      await expect(attempt).rejects.toThrow('to widen an address, start the server anew');
    if (existsSync('/proc/net/tcp')) await expect(attempt).rejects.toThrow(`pid ${process.pid})`);
  });

  test('a port busy on one address is busy for all of them', async () => {
    const port = ((await listen({ port: 0, host: '0.0.0.0' })).address() as { port: number }).port;
    await expect(bindSockets(tcp(port, null))).rejects.toThrow(`cannot listen on *:${port}`);
  });

  test('an address of another machine', async () => {
    await expect(bindSockets(tcp(0, '192.0.2.1'))).rejects.toThrow('does not have that address');
  });
});

describe('a unix socket', () => {
  test('is open to whoever may enter its folder, and gone with its close', async () => {
    const path = join(createTempFolder(), 'a.sock');
    const [socket] = await bindSockets(unix(path));
    expect(statSync(path).mode & 0o777).toBe(0o666);
    await listen(socket.handle);
    expect(await ask(path)).toBe('hello');
    closeSocket(socket);
    expect(existsSync(path)).toBe(false);
  });

  test('left behind by a dead server is replaced', async () => {
    const path = join(createTempFolder(), 'a.sock');
    const dead = await bind(unix(path));
    // Bound and not listening: refuses connections, as the file of a killed server does.
    const socket = await bind(unix(path));
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(socket.handle).not.toBe(dead.handle);
  });

  test('that another server answers on is left alone', async () => {
    const path = join(createTempFolder(), 'a.sock');
    await listen({ path });
    await expect(bindSockets(unix(path))).rejects.toThrow(
      `cannot listen on ${path}: the address is already in use`,
    );
    expect(await ask(path)).toBe('hello');
  });

  test('in a folder that does not exist says so', async () => {
    await expect(bind(unix(join(createTempFolder(), 'run/site.sock')))).rejects.toThrow(
      /cannot listen on .*run\/site\.sock: its folder does not exist$/,
    );
  });

  test('does not take the place of a file', async () => {
    const path = join(createTempFolder(), 'a.sock');
    writeFileSync(path, 'precious');
    await expect(bindSockets(unix(path))).rejects.toThrow('no socket');
    expect(statSync(path).size).toBe(8);
  });
});

describe('the sockets of a site', () => {
  test('are bound as a whole or not at all', async () => {
    const sockets = new ListeningSockets();
    onTestFinished(() => sockets.close(sockets.list()));
    const port = ((await listen({ port: 0, host: '127.0.0.1' })).address() as { port: number }).port;
    const path = join(createTempFolder(), 'a.sock');
    await expect(sockets.open([unix(path), tcp(port)])).rejects.toThrow('already in use');
    expect(existsSync(path)).toBe(false);
    expect(sockets.list()).toEqual([]);
  });

  test('stay when a new config wants them too', async () => {
    const sockets = new ListeningSockets();
    onTestFinished(() => sockets.close(sockets.list()));
    const [a, b, c] = ['a', 'b', 'c'].map((name) => unix(join(createTempFolder(), name)));
    const [first] = await sockets.open([a, b]);
    const opened = await sockets.open([a, c]);
    expect(opened.map(({ address }) => address)).toEqual([c]);
    expect(sockets.list()).toContain(first);
    expect(sockets.findSurplus([a, c]).map(({ address }) => address)).toEqual([b]);
  });
});
