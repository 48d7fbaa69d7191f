import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Not in one piece: the test runner would take it for its own. */
const mapping = ['source', 'MappingURL'].join('');
/** The third line of each is the same. */
const map = { version: 3, sources: ['original.ts'], names: [], mappings: ';;AAEA' };
const compiled = `export default () => { fail(); };
const fail = () => {
throw new Error("mapped"); };
//# ${mapping}=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}
`;

const typed = `interface Named { name: string }

function check(value: Named): never {
  throw new RangeError(\`no \${value.name}\`);
}

export default (request: Request): Response => check({ name: new URL(request.url).pathname });
`;

const signals = `
export default (request, context) => {
  context.signal.addEventListener('abort', () => { throw new Error('listener of ' + context.requestId.length); });
  context.signal.addEventListener('abort', async () => { throw new Error('async listener'); });
  AbortSignal.any([request.signal]).addEventListener('abort', () => { throw new Error('dependent listener'); });
  const { pathname } = new URL(request.url);
  return pathname === '/signals/wait' ? new Promise(() => console.log('waiting')) : new Response(String(process.pid));
};
`;

const hooks = `
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
const events = [];
let left;
export async function init(context) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { upstream, instance, server } = context;
  events.push('init ' + JSON.stringify({ upstream, instance, server, aborted: context.signal.aborted }));
  left = new Promise((resolve) => context.signal.addEventListener('abort', resolve));
  left.then(() => events.push('leaving'));
  context.log('ready for %s', upstream, { a: 1 });
}
export function close() {
  events.push('close');
  writeFileSync(join(import.meta.dirname, 'events'), events.join('\\n'));
}
export default (request, { log, waitUntil }) => {
  events.push('request');
  log('seen', new URL(request.url).pathname);
  waitUntil(left.then(() => new Promise((resolve) => setTimeout(resolve, 30))).then(() => events.push('work')));
  return new Response(String(events.length));
};
`;

const get = `
export default async (request) =>
  Response.json({ method: request.method, body: request.body === null ? null : 'a stream', text: await request.text() });
`;

let server: StartedServer;

beforeAll(async () => {
  server = await startServer(
    {
      workers: 1,
      upstreams: Object.fromEntries(
        ['compiled.mjs', 'typed.ts', 'signals.mjs', 'hooks.mjs', 'get.mjs'].map((app) => [
          app.split('.')[0],
          { app },
        ]),
      ),
      routes: ['compiled', 'typed', 'signals', 'hooks', 'get'].map((name) => ({
        path: `/${name}`,
        proxy: name,
      })),
    },
    {
      timeoutMs: 40_000,
      files: {
        'compiled.mjs': compiled,
        'typed.ts': typed,
        'signals.mjs': signals,
        'hooks.mjs': hooks,
        'get.mjs': get,
      },
    },
  );
});

const readText = async (path: string): Promise<string> => (await fetch(`${server.url}${path}`)).text();

describe('G1: a stack in the log', () => {
  test('names the line of a TypeScript module', async () => {
    expect((await fetch(`${server.url}/typed/x`)).status).toBe(500);
    await server.process.waitForStderr(/RangeError: no \/typed\/x/);
    await server.process.waitForStderr(/typed\.ts:4:9\)/);
    await server.process.waitForStderr(/typed\.ts:7:\d+\)/);
  });

  test('names the line that compiled code came from', async () => {
    expect((await fetch(`${server.url}/compiled`)).status).toBe(500);
    await server.process.waitForStderr(/original\.ts:3:\d+\)/);
  });
});

describe('an instance', () => {
  test('G33: lives on when listeners of abort signals fail', async () => {
    const pid = await readText('/signals');
    const abort = new AbortController();
    const lost = fetch(`${server.url}/signals/wait`, { signal: abort.signal }).catch(() => 'lost');
    await server.process.waitForStderr(/\[signals#1\] waiting/);
    abort.abort();
    expect(await lost).toBe('lost');
    for (const listener of ['listener of 32', 'async listener', 'dependent listener']) {
      await server.process.waitForStderr(new RegExp(`an abort listener failed: Error: ${listener}`));
    }
    expect(await readText('/signals')).toBe(pid);
  });

  test('G34, T5: gives a request up whose client goes away behind a body that nobody reads', async () => {
    const before = server.process.stderr.split('dependent listener').length;
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const waiting = server.process.stderr.split('waiting').length;
    socket.write('POST /signals/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n');
    socket.write(Buffer.alloc(100_000));
    await waitUntil('the request', () => server.process.stderr.split('waiting').length > waiting);
    socket.destroy();
    await waitUntil('its abort', () => server.process.stderr.split('dependent listener').length > before);
  });

  test.each(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const)(
    'G45: takes no notice of %s, which is for the master',
    async (signal) => {
      const pid = await readText('/signals');
      process.kill(Number(pid), signal);
      // A second request is answered behind the signal.
      await readText('/signals');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await readText('/signals')).toBe(pid);
      expect(server.process.stderr).not.toMatch(/Debugger/);
    },
  );

  test('G15: never shows the body of a GET, and its connection goes on', async () => {
    const socket = connect(server.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
    });
    const request = 'GET /get HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    socket.write(request);
    await waitUntil('an answer', () => received.split('{"method":"GET","body":null,"text":""}').length === 2);
    socket.write(request);
    await waitUntil('another', () => received.split('{"method":"GET","body":null,"text":""}').length === 3);
    socket.destroy();
  });

  test('G4, G5, G6, G18, G19, G42: calls init before and close behind everything else', async () => {
    const file = `${server.folder}/events`;
    expect(await readText('/hooks/path?secret')).toBe('2');
    await server.process.waitForStderr(/\[hooks#1\] ready for hooks \{ a: 1 \}/);
    await server.process.waitForStderr(/\[hooks#1\] request [0-9a-f]{32}: seen \/hooks\/path/);
    await server.stop();
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([
      'init {"upstream":"hooks","instance":1,"server":null,"aborted":false}',
      'request',
      'leaving',
      'work',
      'close',
    ]);
  });
});
