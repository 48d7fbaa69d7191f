import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { findChildren, isRunning } from '../support/processes.ts';
import { countStatuses, startRequests } from '../support/send-requests.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Does what its path says. Each request with a body leaves its id in a file, so that one that came twice is seen. */
const app = `
import { appendFileSync } from 'node:fs';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const kept = [];
function spin(ms) {
  for (const end = Date.now() + ms; Date.now() < end; ) JSON.parse('{}');
}
export default async (request, context) => {
  const { pathname } = new URL(request.url);
  if (request.method === 'POST') appendFileSync(new URL('./posts', import.meta.url), request.headers.get('x-id') + '\\n');
  if (pathname === '/hang') { await wait(1); spin(60_000); }
  if (pathname === '/leak') kept.push(Buffer.alloc(40e6, 1));
  if (pathname === '/exit') process.exit(3);
  if (pathname === '/wait') await wait(400);
  if (pathname === '/aborted') {
    context.signal.addEventListener('abort', () => console.log('client of ' + context.requestId + ' is gone'));
    await wait(60_000);
  }
  return new Response(String(process.pid));
};`;

async function startApp(settings: object, files: Record<string, string> = {}): Promise<StartedServer> {
  const server = await startServer(
    {
      workers: 1,
      upstreams: { api: { app: 'api.mjs', ...settings } },
      routes: [{ path: '/', proxy: 'api' }],
    },
    { files: { 'api.mjs': app, ...files } },
  );
  await waitUntil('every instance is up', () => listInstances(server).length > 0);
  await fetch(server.url).then((response) => response.text());
  return server;
}

const listInstances = ({ process: { pid } }: StartedServer): number[] => findChildren(pid, 'tsserve: app');

async function ask(server: StartedServer, path: string, method = 'GET'): Promise<string> {
  const response = await fetch(`${server.url}${path}`, { method });
  return `${response.status} ${await response.text()}`;
}

describe('an instance whose event loop is blocked', () => {
  it('T35: is killed and replaced, and the log names request, age and stack', async () => {
    const server = await startApp({ instances: 1, hangTimeout: '500ms' });
    const [before] = listInstances(server);
    expect((await ask(server, '/hang?secret=1', 'POST')).slice(0, 3)).toBe('502');
    await server.process.waitForStderr(/at spin \(file:.*api\.mjs:\d+:\d+\)/);
    const { stderr } = server.process;
    expect(stderr).toMatch(new RegExp(`api#1 \\(pid ${before}\\) has been blocked for \\d+\\.\\d s`));
    expect(stderr).toMatch(/running: POST \/hang, request [0-9a-f]{32}, for \d+\.\d s/);
    expect(stderr).not.toMatch(/Debugger listening|running: .*secret/);
    await waitUntil('it has ended', () => !isRunning(before));
    expect(Number((await ask(server, '/')).slice(4))).not.toBe(before);
  });

  it('T35: with a Node listener too, behind a server of its own', async () => {
    const listener = `
import { createServer } from 'node:http';
function spin() { for (;;) JSON.parse('{}'); }
export default createServer((request, response) => {
  if (request.url.startsWith('/hang')) setTimeout(spin, 1);
  else response.end('ok');
});`;
    const settings = { interface: 'node', hangTimeout: '500ms', concurrency: 10 };
    const server = await startApp(settings, { 'api.mjs': listener });
    expect((await ask(server, '/hang?secret=1', 'POST')).slice(0, 3)).toBe('502');
    await server.process.waitForStderr(
      /running: POST \/hang, request [0-9a-f]{32}, for \d+\.\d s\n.*at spin \(/,
    );
    expect(await ask(server, '/')).toBe('200 ok');
  });

  it('costs no GET: what waits there is sent to another', async () => {
    const server = await startApp({ instances: 2, hangTimeout: '500ms' });
    await waitUntil('both', () => listInstances(server).length === 2);
    const load = startRequests(server.url, { senders: 8 });
    const hung = ask(server, '/hang', 'POST');
    await server.process.waitForStderr(/has been blocked/);
    await hung;
    expect(Object.keys(countStatuses(await load.stop()))).toEqual(['200']);
  });
});

describe('an instance is replaced by a fresh one without a lost request', () => {
  it('S20: after so many requests', async () => {
    const server = await startApp({ instances: 2, maxRequests: 200 });
    const before = listInstances(server);
    const load = startRequests(server.url, { senders: 8 });
    await waitUntil(
      'four replacements',
      () => (server.process.stderr.match(/is replaced after \d+ requests/g) ?? []).length >= 4,
      20_000,
    );
    const outcomes = await load.stop();
    expect(Object.keys(countStatuses(outcomes))).toEqual(['200']);
    await waitUntil('the end of the first two', () => !before.some(isRunning));
    // 90 to 100 % of the number, and a few more while the successor came up.
    const counts = [...server.process.stderr.matchAll(/replaced after (\d+) requests/g)].map(([, count]) =>
      Number(count),
    );
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(180);
  });

  it('when it has grown too large', async () => {
    const server = await startApp({ instances: 1, maxMemory: '250m' });
    const [before] = listInstances(server);
    const load = startRequests(server.url, { senders: 2, perSecond: 100 });
    for (let i = 0; i < 6; i++) await ask(server, '/leak');
    await server.process.waitForStderr(/is replaced at \d{3} MiB of memory/);
    await waitUntil('its end', () => !isRunning(before), 20_000);
    expect(Object.keys(countStatuses(await load.stop()))).toEqual(['200']);
  });
});

describe('an application that ends at its start', () => {
  it('is tried ever more slowly, then failed and answered 503; mended code brings it back at a reload', async () => {
    const server = await startServer(
      {
        workers: 1,
        upstreams: { api: { app: 'api.mjs', timeouts: { connect: '10s' } } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.mjs': 'process.exit(3);' } },
    );
    // Waiting until then, not refused.
    expect((await fetch(server.url)).status).toBe(503);
    await server.process.waitForStderr(/api#1 failed: it crashed 5 times in a row/);
    expect((server.process.stderr.match(/exited with code 3 before it was ready/g) ?? []).length).toBe(5);
    writeFiles(server.folder, { 'api.mjs': 'export default () => new Response("mended");' });
    server.process.sendSignal('SIGHUP');
    await waitUntil('it is mended', async () => (await ask(server, '/')) === '200 mended');
  });

  it('in time is required: a start that hangs is a crash', async () => {
    const server = await startServer(
      {
        workers: 1,
        upstreams: { api: { app: 'api.mjs', startTimeout: '300ms' } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.mjs': 'for (;;);' } },
    );
    await server.process.waitForStderr(/api#1 was not ready within 300 ms/);
    expect((await server.process.stop()).code).toBe(0);
  });

  it('is not ready before its probe succeeds, and the log says what the probe met', async () => {
    const probed = `
const startedAt = Date.now();
export default (request) => new URL(request.url).pathname === '/healthz'
  ? new Response(null, { status: Date.now() - startedAt > 300 ? 204 : 500 })
  : new Response(String(Date.now() - startedAt));`;
    const ready = { path: '/healthz', status: 204 };
    const server = await startApp({ ready }, { 'api.mjs': probed });
    expect(Number((await ask(server, '/')).slice(4))).toBeGreaterThan(300);
    const bad = await startServer(
      {
        workers: 1,
        upstreams: { api: { app: 'api.mjs', ready: { path: '/none' }, startTimeout: '500ms' } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.mjs': 'export default () => new Response("", { status: 404 });' } },
    );
    await bad.process.waitForStderr(/not ready within 500 ms: GET \/none was answered 404/);
  });
});

describe('the number of instances', () => {
  it('follows SIGTTIN and SIGTTOU, and at a reload the config', async () => {
    const server = await startApp({ instances: 1 });
    const load = startRequests(server.url, { senders: 4 });
    const become = (count: number) =>
      waitUntil(`${count} instances`, () => listInstances(server).length === count, 20_000);
    server.process.sendSignal('SIGTTIN');
    await become(2);
    server.process.sendSignal('SIGTTIN');
    await become(3);
    server.process.sendSignal('SIGTTOU');
    await become(2);
    server.writeConfig({
      workers: 1,
      upstreams: { api: { app: 'api.mjs', instances: 4 } },
      routes: [{ path: '/', proxy: 'api' }],
    });
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/reloaded/, 20_000);
    await become(4);
    expect(Object.keys(countStatuses(await load.stop()))).toEqual(['200']);
  });
});

describe('requests that are too many', () => {
  it('wait for one of the few places, and are answered 503 with Retry-After when too many wait', async () => {
    const server = await startApp({ instances: 1, concurrency: 2, queue: 3 });
    const responses = await Promise.all(Array.from({ length: 12 }, () => fetch(`${server.url}/wait`)));
    const refused = responses.filter(({ status }) => status === 503);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(refused).toHaveLength(7);
    expect(refused[0].headers.get('retry-after')).toBe('1');
    await server.process.waitForStderr(/TSS_UPSTREAM_BUSY/);
  });

  const count = `
let running = 0, most = 0;
const run = async () => {
  most = Math.max(most, ++running);
  await new Promise((resolve) => setTimeout(resolve, 5));
  running--;
};`;

  it.each([
    [
      'fetch',
      `export default async (request) => {
  if (new URL(request.url).pathname === '/most') return new Response(String(most));
  await run();
  return new Response('');
};`,
    ],
    [
      'node',
      `import { createServer } from 'node:http';
export default createServer(async (request, response) => {
  if (request.url === '/most') return response.end(String(most));
  await run();
  response.end();
});`,
    ],
  ])('never run at once in one instance, whichever worker they come from: "%s"', async (kind, code) => {
    const server = await startServer(
      {
        workers: 2,
        upstreams: { api: { app: 'api.mjs', interface: kind, concurrency: 2 } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.mjs': `${count}\n${code}` } },
    );
    const load = startRequests(server.url, { senders: 24 });
    await waitUntil('some answers', () => load.outcomes.length > 300);
    expect(Object.keys(countStatuses(await load.stop()))).toEqual(['200']);
    expect(await ask(server, '/most')).toBe('200 2');
  });
});

describe('a client that leaves', () => {
  it('has its request aborted in the application', async () => {
    const server = await startApp({});
    const left = request(`${server.url}/aborted`).on('error', () => {});
    left.end();
    await waitUntil('the request is sent', () => left.writableFinished);
    setTimeout(() => left.destroy(), 200);
    await server.process.waitForStderr(/\[api#1\] client of [0-9a-f]{32} is gone/);
  });

  it('V35: and a time that is up leave no answer behind that the next request could get', async () => {
    const late = `
let turn = 0;
export default async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/late') await new Promise((resolve) => setTimeout(resolve, 600));
  return new Response(pathname + ' ' + ++turn);
};`;
    const server = await startServer(
      {
        workers: 1,
        upstreams: { api: { app: 'api.mjs', timeouts: { read: '100ms' }, keepalive: 1 } },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'api.mjs': late } },
    );
    await ask(server, '/first');
    for (let i = 0; i < 5; i++) {
      const [slow, ...others] = await Promise.all([
        ask(server, '/late', 'POST'),
        ...Array.from({ length: 5 }, () => ask(server, '/next')),
      ]);
      expect(slow.slice(0, 3)).toBe('504');
      for (const answer of others) expect(answer).toMatch(/^200 \/next /);
    }
  }, 30_000);
});

describe('an instance that does not end', () => {
  it('is killed when its time is over', async () => {
    const stubborn = `
process.on('SIGTERM', () => {});
export default async () => { await new Promise(() => setInterval(() => {}, 1000)); };`;
    const server = await startServer(
      {
        workers: 1,
        upstreams: { api: { app: 'api.mjs', drainTimeout: '300ms' } },
        routes: [
          { path: '/', proxy: 'api' },
          { path: '= /here', return: 204 },
        ],
      },
      { files: { 'api.mjs': stubborn } },
    );
    await waitUntil('the instance', () => listInstances(server).length === 1);
    const [pid] = listInstances(server);
    const pending = ask(server, '/').catch(() => 'cut off');
    await waitUntil('the request is there', async () => (await fetch(`${server.url}/here`)).ok);
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/reloaded/);
    await waitUntil('its end', () => !isRunning(pid));
    await server.stop();
    await pending;
  });
});

it('T11: instances that are killed one after the other cost no GET, and no POST comes twice', async () => {
  const server = await startApp({ instances: 2 });
  const posts = startRequests(server.url, { method: 'POST', senders: 4 });
  const gets = startRequests(server.url, { senders: 4 });
  for (let turn = 0; turn < 6; turn++) {
    const victims = listInstances(server);
    const victim = victims[turn % victims.length];
    const done = gets.outcomes.length;
    process.kill(victim, 'SIGKILL');
    // Ready, not only started: it answers.
    await waitUntil('another in its place', () => {
      const answering = gets.outcomes.slice(done).map(({ body }) => Number(body));
      return answering.some((pid) => pid > 0 && !victims.includes(pid));
    });
  }
  expect(Object.keys(countStatuses(await gets.stop()))).toEqual(['200']);
  const outcomes = await posts.stop();
  const seen = readFileSync(`${server.folder}/posts`, 'utf8').trim().split('\n');
  expect(seen.length).toBe(new Set(seen).size);
  for (const { id, status } of outcomes) if (status === 200) expect(seen).toContain(id);
  expect((countStatuses(outcomes)[502] ?? 0) + (countStatuses(outcomes)[200] ?? 0)).toBe(outcomes.length);
});
