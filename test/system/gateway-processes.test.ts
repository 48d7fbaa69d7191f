import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const environment = `
import { readFileSync } from 'node:fs';
export default () => {
  const { SECRET, GIVEN, NODE_ENV, TSSERVE_UPSTREAM, TSSERVE_INSTANCE } = process.env;
  console.log('to standard output');
  console.error('to standard error');
  return Response.json({
    env: { SECRET, GIVEN, NODE_ENV, TSSERVE_UPSTREAM, TSSERVE_INSTANCE },
    hasPath: process.env.PATH !== undefined,
    cwd: process.cwd(),
    input: readFileSync(0, 'utf8'),
  });
};
`;

/** Dies at its first request, and leaves a line for each. */
const dying = `
import { appendFileSync, readFileSync } from 'node:fs';
export default (request) => {
  const file = new URL('./calls-' + request.method, import.meta.url);
  appendFileSync(file, request.method + '\\n');
  if (readFileSync(file, 'utf8').split('\\n').length === 2) process.kill(process.pid, 'SIGKILL');
  return new Promise((resolve) => setTimeout(() => resolve(new Response('alive')), 20));
};
`;

const concurrent = `
let running = 0;
let waiting = [];
export default (request) => new Promise((resolve) => {
  running++;
  waiting.push(() => resolve(new Response(String(running))));
  if (waiting.length === 3) for (const answer of waiting.splice(0)) answer();
});
`;

const stuck = `
export function close() { console.log('closing'); return new Promise(() => {}); }
export default () => new Response('x');
`;

const plain = `
export default (request, response) => {
  const names = [Response, Headers, Request].map((found) => Object.getPrototypeOf(found) === Function.prototype);
  response.end(JSON.stringify(names));
};
`;

let server: StartedServer;

beforeAll(async () => {
  const upstreams = {
    environment: { app: 'environment.mjs', env: { GIVEN: 'yes' } },
    dying: { app: 'dying.mjs', instances: 2 },
    concurrent: { app: 'concurrent.mjs' },
    stuck: { app: 'stuck.mjs', drainTimeout: '200ms' },
    plain: { app: 'plain.mjs', interface: 'node' },
    broken: { app: 'broken.mjs' },
    upgraded: { app: 'upgraded.mjs' },
  };
  server = await startServer(
    {
      workers: 1,
      upstreams,
      routes: Object.keys(upstreams).map((name) => ({ path: `/${name}`, proxy: name })),
    },
    {
      env: { SECRET: 'of the server' },
      files: {
        'environment.mjs': environment,
        'dying.mjs': dying,
        'concurrent.mjs': concurrent,
        'stuck.mjs': stuck,
        'plain.mjs': plain,
        'broken.mjs': 'throw new Error("broken");',
        'upgraded.mjs': 'export default (request) => Response.json([...request.headers.keys()]);',
      },
      timeoutMs: 40_000,
    },
  );
});

const get = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);

test('G8: while no instance starts, requests are answered 503', async () => {
  await server.process.waitForStderr(/broken#1 \(pid \d+\) exited with code 1 before it was ready/);
  expect((await get('/broken')).status).toBe(503);
});

test('G9, G10: an instance has its environment, its folder and its output', async () => {
  const found = await (await get('/environment')).json();
  expect(found).toEqual({
    env: { GIVEN: 'yes', NODE_ENV: 'production', TSSERVE_UPSTREAM: 'environment', TSSERVE_INSTANCE: '1' },
    hasPath: true,
    cwd: server.folder,
    input: '',
  });
  await server.process.waitForStderr(/\[notice\].*\[environment#1\] to standard output/);
  await server.process.waitForStderr(/\[warn\].*\[environment#1\] to standard error/);
});

test('G39: requests run at a time', async () => {
  const answers = await Promise.all([1, 2, 3].map(async () => (await get('/concurrent')).text()));
  expect(answers).toEqual(['3', '3', '3']);
});

test('G41: when an instance dies, a GET goes to another one, and a POST does not', async () => {
  const calls = (method: string) =>
    readFileSync(`${server.folder}/calls-${method}`, 'utf8').length / (method.length + 1);
  const answer = await get('/dying');
  expect([answer.status, await answer.text(), calls('GET')]).toEqual([200, 'alive', 2]);
  const failed = await get('/dying', { method: 'POST', body: 'x' });
  expect([failed.status, calls('POST')]).toEqual([502, 1]);
  await waitUntil('a new instance', async () => (await get('/dying')).ok);
});

test('G38: a WebSocket handshake is a request like any other for a function', async () => {
  let received = '';
  const socket = connect(server.port, '127.0.0.1').setEncoding('latin1');
  socket.on('data', (data: string) => {
    received += data;
  });
  const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  const request = `GET /upgraded HTTP/1.1\r\nHost: a\r\n${fields}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  await waitUntil('the instance', async () => (await get('/upgraded')).ok);
  socket.write(request);
  await waitUntil('an answer', () => received.includes('"sec-websocket-key"'));
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(received).not.toMatch(/"upgrade"/);
  socket.destroy();
});

test('G49: a Node listener finds the classes of the platform', async () => {
  expect(await (await get('/plain')).json()).toEqual([true, true, true]);
});

test('G44: what does not come to its end is cut off', async () => {
  expect(await (await get('/stuck')).text()).toBe('x');
  server.process.sendSignal('SIGHUP');
  await server.process.waitForStderr(/\[stuck#1\] closing/);
  await server.process.waitForStderr(/\[stuck#1\] close still ran after 200 ms: cut off/);
});
