import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import util from 'node:util';
import { expect, test } from 'vitest';
import { loadHttpProxy } from '../../../src/handlers/proxy/load-http-proxy.ts';

test('T40: what carries tunnels is loaded when it is needed, and uses nothing deprecated', async () => {
  const isLoaded = () =>
    Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('http-proxy'));
  expect(isLoaded()).toBe(false);
  const warnings: unknown[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const legacy = util as { _extend?: unknown };
  const original = legacy._extend;
  const used: unknown[] = [];
  legacy._extend = (...all: unknown[]) => used.push(all);
  const upstream = createServer().on('upgrade', (_, socket) =>
    socket.end('HTTP/1.1 101 X\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n'),
  );
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const bound = upstream.address();
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
  const client = connect(port, '127.0.0.1').on('error', () => {});
  try {
    const proxy = loadHttpProxy();
    expect(isLoaded()).toBe(true);
    expect(loadHttpProxy()).toBe(proxy);
    expect(legacy._extend).not.toBe(Object.assign);
    const opened = new Promise((resolve) => proxy.once('open', resolve));
    const message = { method: 'GET', url: '/', headers: { upgrade: 'websocket', connection: 'upgrade' } };
    const target = { protocol: 'http:', host: '127.0.0.1', port };
    proxy.ws(message as never, client, Buffer.alloc(0), { target, toProxy: true });
    await opened;
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    legacy._extend = original;
    process.off('warning', onWarning);
    client.destroy();
    upstream.close();
  }
  expect(used).toEqual([]);
  expect(warnings).toEqual([]);
});
