// The examples of docs/error-pages.md do what the document says.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { startNodeUpstream } from '../support/node-upstream.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, startServer } from '../support/start-server.ts';

const markdown = readFileSync(`${repositoryRoot}docs/error-pages.md`, 'utf8');
const examples = [...markdown.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);

function start(i: number, files: Record<string, string>, replaced: readonly [string, string] = ['', '']) {
  const site = parse(examples[i].replaceAll('../', '').replaceAll(...replaced)) as SiteConfig;
  return startServer({ workers: 1, ...site }, { files });
}

async function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const body = method === 'POST' ? 'sent' : null;
  const answer = await fetch(url, { method, headers, body, redirect: 'manual' });
  return {
    status: answer.status,
    text: await answer.text(),
    field: (name: string) => answer.headers.get(name),
  };
}

test('of pages of the site', async () => {
  const { url } = await start(0, {
    'public/404.html': '<h1>not here</h1>',
    'public/errors/503.html': 'busy',
  });
  const missing = await get(`${url}/none`);
  expect([missing.status, missing.text]).toEqual([404, '<h1>not here</h1>']);
  expect([missing.field('content-type'), missing.field('etag')]).toEqual(['text/html; charset=utf-8', null]);
  expect(missing.field('cache-control')).toBe('no-store');
  const asIs = await get(`${url}/404.html`);
  expect([asIs.status, asIs.field('etag')]).toEqual([200, expect.any(String)]);
  const etag = asIs.field('etag') as string;
  const conditional = await get(`${url}/none`, { range: 'bytes=0-1', 'if-none-match': etag });
  expect([conditional.status, conditional.text]).toEqual([404, '<h1>not here</h1>']);
  const head = await get(`${url}/none`, {}, 'HEAD');
  expect([head.status, head.text, head.field('content-length')]).toEqual([404, '', '17']);
  const secret = await get(`${url}/secret/x`);
  expect([secret.status, secret.text]).toEqual([404, '<h1>not here</h1>']);
  const busy = await get(`${url}/down/`, {}, 'POST');
  expect([busy.status, busy.text]).toEqual([503, 'busy']);
  expect((await get(`${url}/errors/503.html`)).status).toBe(404);
  expect((await get(`${url}/api/x`)).text).not.toContain('<h1>');
  // The method that is refused is the client's, and the reply says which ones are not.
  const refused = await get(`${url}/404.html`, { accept: 'application/json' }, 'POST');
  expect([refused.status, refused.field('allow')]).toEqual([405, 'GET, HEAD']);
  expect(JSON.parse(refused.text)).toEqual({ status: 405, error: 'Method Not Allowed' });
});

test('of errors of upstreams', async () => {
  const peer = await startNodeUpstream('shop', (request, response) => {
    response.writeHead(request.url?.endsWith('fails') ? 500 : 404, { 'x-own': 'yes', 'retry-after': '7' });
    response.end('a stack trace');
  });
  const { url } = await start(1, {}, ['http://127.0.0.1:9000', peer.url]);
  const failed = await get(`${url}/fails`);
  expect([failed.status, failed.text]).toEqual([500, '<h1>Back soon</h1> 500 /fails\n']);
  expect([failed.field('x-own'), failed.field('retry-after')]).toEqual([null, '7']);
  expect((await get(`${url}/fails`, {}, 'POST')).text).toBe('<h1>Back soon</h1> 500 /fails\n');
  expect((await get(`${url}/none`)).text).toBe('a stack trace');
  const raw = await get(`${url}/raw/fails`);
  expect([raw.status, raw.text]).toEqual([500, 'a stack trace']);
});

test('of other sites, and of the status of the page', async () => {
  const { url } = await start(2, {});
  const away = await get(`${url}/a%20b`);
  expect([away.status, away.field('location')]).toEqual([301, 'https://www.example.com/search?for=/a%20b']);
  const gone = await get(`${url}/old/x`);
  expect([gone.status, gone.text]).toEqual([200, 'It was here until last year.\n']);
});

test('of the built-in reply: what the client asks for, and plain text where it does not say', async () => {
  const server = await startServer({
    workers: 1,
    upstreams: { gone: { servers: [`http://127.0.0.1:${await findFreePort()}`] } },
    routes: [{ path: '/up', proxy: 'gone' }],
  });
  const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
  const page = await get(`${server.url}/none`, browser);
  expect([page.status, page.field('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  expect([page.text.includes('<h1>404</h1>'), page.field('vary')]).toEqual([true, 'Accept']);
  expect(page.field('content-security-policy')).toContain("default-src 'none'");
  const plain = await get(`${server.url}/none`, { accept: '*/*' });
  expect([plain.text, plain.field('vary')]).toEqual(['404 Not Found\n', 'Accept']);
  const failed = await get(`${server.url}/up`, { accept: 'application/problem+json' });
  expect(failed.field('content-type')).toBe('application/problem+json');
  const { requestId, ...told } = JSON.parse(failed.text) as { requestId: string };
  expect([failed.status, told]).toEqual([502, { type: 'about:blank', title: 'Bad Gateway', status: 502 }]);
  await server.process.waitForStderr(new RegExp(`id: ${requestId}`));
  expect((await get(`${server.url}/up`, browser)).text).toMatch(/Request [0-9a-f]{32}</);
});

test('of a request that is no HTTP: it gets the built-in reply', async () => {
  const { port } = await start(0, { 'public/404.html': 'page' });
  const text = await new Promise<string>((resolve) => {
    let all = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a b\r\n\r\n'));
    socket.on('data', (bytes) => {
      all += String(bytes);
    });
    socket.on('close', () => resolve(all));
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*400 Bad Request\n$/);
});
