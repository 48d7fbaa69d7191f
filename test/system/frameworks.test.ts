import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { startServer } from '../support/start-server.ts';

const modules = `${repositoryRoot}node_modules`;

const hono = `
  import { Hono } from '${modules}/hono/dist/index.js';
  const app = new Hono();
  app.get('/api/hello/:name', (c) => c.json({ hello: c.req.param('name'), from: c.req.header('x-forwarded-for') ?? null }));
  app.post('/api/echo', async (c) => c.text(await c.req.text()));
  app.get('/api/cookies', (c) => { c.header('Set-Cookie', 'a=1'); c.header('Set-Cookie', 'b=2', { append: true }); return c.redirect('/api/hello/x', 303); });
  app.get('/api/stream', () => new Response(new ReadableStream({
    async start(controller) {
      for (const part of ['one,', 'two,', 'three']) { controller.enqueue(new TextEncoder().encode(part)); await new Promise((r) => setTimeout(r, 20)); }
      controller.close();
    },
  })));
  app.onError((error, c) => c.text('handled: ' + error.message, 418));
  app.get('/api/throw', () => { throw new Error('in hono'); });
  export default app;
`;

const express = `
  import { createRequire } from 'node:module';
  const express = createRequire('${modules}/')('express');
  const app = express();
  app.set('trust proxy', true);
  app.use(express.json());
  app.get('/web/hello/:name', (req, res) => res.json({ hello: req.params.name, ip: req.ip, host: req.hostname, protocol: req.protocol }));
  app.post('/web/echo', (req, res) => res.status(201).json(req.body));
  app.get('/web/cookies', (req, res) => res.cookie('a', '1').cookie('b', '2').redirect('/web/hello/x'));
  app.get('/web/stream', (req, res) => { res.write('one,'); setTimeout(() => { res.write('two,'); res.end('three'); }, 20); });
  app.get('/web/throw', () => { throw new Error('in express'); });
  export default app;
`;

async function start() {
  return startServer(
    {
      workers: 1,
      upstreams: {
        hono: { app: 'hono.mjs', instances: 2 },
        express: { app: 'express.mjs', instances: 2, interface: 'node' },
      },
      routes: [
        { path: '/api/', proxy: 'hono' },
        { path: '/web/', proxy: 'express' },
      ],
    },
    { files: { 'hono.mjs': hono, 'express.mjs': express } },
  );
}

describe('an application as it is', () => {
  it.each([
    ['Hono', '/api'],
    ['Express 5', '/web'],
  ])('%s: parameters, bodies, cookies, redirects, streams and errors', async (name, prefix) => {
    const server = await start();
    const get = (path: string, init?: RequestInit) =>
      fetch(`${server.url}${prefix}${path}`, { redirect: 'manual', ...init });
    const hello = (await (await get('/hello/you')).json()) as { hello: string };
    expect(hello.hello).toBe('you');
    const body = JSON.stringify({ big: 'x'.repeat(50_000) });
    const echo = await get('/echo', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    expect(await echo.text()).toBe(body);
    const cookies = await get('/cookies');
    expect([302, 303]).toContain(cookies.status);
    expect(cookies.headers.getSetCookie().map((cookie) => cookie.split(';')[0])).toEqual(['a=1', 'b=2']);
    expect(await (await get('/stream')).text()).toBe('one,two,three');
    const failed = await get('/throw');
    expect([name, failed.status]).toEqual([name, name === 'Hono' ? 418 : 500]);
    expect((await get('/hello/again')).status).toBe(200);
    expect((await get('/nowhere')).status).toBe(404);
  });

  it('T18: Express sees the client, the host and the scheme of the first hop, and no forged ones', async () => {
    const server = await start();
    const response = await fetch(`${server.url}/web/hello/x`, {
      headers: { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' },
    });
    expect(await response.json()).toEqual({
      hello: 'x',
      ip: '127.0.0.1',
      host: '127.0.0.1',
      protocol: 'http',
    });
  });
});
