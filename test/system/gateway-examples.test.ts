// Every example of docs/gateway.md: typed, run, and asked.

import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { repositoryRoot, startProcess } from '../support/run-tsserve.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const markdown = readFileSync(`${repositoryRoot}docs/gateway.md`, 'utf8');
/** Text by name: the first line of each example is a comment with the name of its file. */
const examples = new Map(
  [...markdown.matchAll(/^```(?:ts|jsonc)\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [
    name,
    text,
  ]),
);
const modules = [...examples].filter(([name]) => name.endsWith('.ts'));
const nodeListeners = ['chat', 'echo'];

let server: StartedServer;

beforeAll(async () => {
  const upstreams = modules.map(([name]) => {
    const upstream = name.slice(0, -'.ts'.length);
    return [upstream, { app: name, interface: nodeListeners.includes(upstream) ? 'node' : 'fetch' }] as const;
  });
  // Applications find packages beside themselves.
  const files = { ...Object.fromEntries(modules), 'package.json': '{ "type": "module" }' };
  server = await startServer(
    {
      workers: 1,
      upstreams: Object.fromEntries(upstreams),
      routes: upstreams.map(([name]) => ({ path: `/${name}`, proxy: name })),
    },
    { files: { ...files, ...listPackage('ws') }, timeoutMs: 40_000 },
  );
  for (const name of nodeListeners) {
    await waitUntil(name, async () => (await fetch(`${server.url}/${name}`)).ok, 40_000);
  }
});

/** A package that only hands on the one of the repository. */
function listPackage(name: string): Record<string, string> {
  const original = JSON.stringify(`${repositoryRoot}node_modules/${name}/wrapper.mjs`);
  return {
    [`node_modules/${name}/package.json`]: '{ "type": "module", "exports": "./index.js" }',
    [`node_modules/${name}/index.js`]: `export * from ${original};\n`,
  };
}

const get = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
const readText = async (path: string, init?: RequestInit) => (await get(path, init)).text();

/** What each example does, seen from its client. */
const behaviours: Record<string, () => Promise<void>> = {
  'hello.ts': async () => expect(await readText('/hello/you?q')).toBe('Hello from /hello/you\n'),
  'site.json': async () => {
    const { listen: _, ...site } = JSON.parse(examples.get('site.json') as string) as { listen: unknown };
    const other = await startServer(site, { files: { 'hello.ts': examples.get('hello.ts') as string } });
    expect(await (await fetch(`${other.url}/a/b`)).text()).toBe('Hello from /a/b\n');
  },
  'typed.ts': async () => {
    const body = JSON.stringify({ name: 'you' });
    expect(await (await get('/typed', { method: 'POST', body })).json()).toEqual({
      hello: 'you',
      from: '127.0.0.1',
    });
    expect((await get('/typed', { method: 'POST', body: '{' })).status).toBe(500);
  },
  'counter.ts': async () => {
    const other = await startServer(
      {
        workers: 1,
        upstreams: { counter: { app: 'counter.ts' } },
        routes: [{ path: '/', proxy: 'counter' }],
      },
      { files: { 'counter.ts': examples.get('counter.ts') as string } },
    );
    const count = async () => (await fetch(other.url)).text();
    expect([await count(), await count()]).toEqual(['1\n', '2\n']);
    await other.process.waitForStderr(/\[counter#1\] starting at 0/);
    // A reload replaces the instance: the new one starts before the old one has written.
    other.process.sendSignal('SIGHUP');
    await waitUntil('the count of the first', () => readCount(other.folder) === '2');
    other.process.sendSignal('SIGHUP');
    await other.process.waitForStderr(/\[counter#1\] starting at 2/);
  },
  'upload.ts': async () =>
    expect(await readText('/upload', { method: 'POST', body: 'abc' })).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n',
    ),
  'later.ts': async () => {
    const response = await get('/later/x');
    expect([response.status, await response.text()]).toEqual([202, 'accepted\n']);
    await server.process.waitForStderr(/\[later#1\] request [0-9a-f]{32}: worked on \/later\/x/);
  },
  'events.ts': async () => {
    const response = await get('/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let i = 0; i < 2; i++) {
      const { value } = await reader.read();
      expect(Buffer.from(value as Uint8Array).toString()).toMatch(/^data: \d{4}-[^\n]+\n\n$/);
    }
    await reader.cancel();
  },
  'not-modified.ts': async () => {
    const response = await get('/not-modified');
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, ['a=1', 'b=2']]);
    const again = await get('/not-modified', { headers: { 'If-None-Match': '"1"' } });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, '"1"', '']);
  },
  'slow.ts': async () => {
    expect(await readText('/slow')).toBe('worth the wait\n');
    const { stderr } = server.process;
    await expect(get('/slow', { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    expect(await readText('/slow')).toBe('worth the wait\n');
    expect(server.process.stderr.slice(stderr.length)).not.toContain('failed');
  },
  'chat.ts': async () => {
    const [first, second] = [await open('/chat'), await open('/chat')];
    const heard = [first, second].map((socket) => once(socket, 'message') as Promise<[Buffer]>);
    first.send('hello');
    expect((await Promise.all(heard)).map(([data]) => data.toString())).toEqual(['hello', 'hello']);
    first.close();
    second.close();
    expect(await readText('/chat')).toBe('a WebSocket is better\n');
  },
  'echo.ts': async () => {
    const socket = await open('/echo');
    const heard = once(socket, 'message') as Promise<[Buffer]>;
    socket.send('hello');
    expect((await heard)[0].toString()).toBe('hello');
    socket.close();
    expect(await readText('/echo')).toBe('http\n');
  },
};

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`);
  await once(socket, 'open');
  return socket;
}

function readCount(folder: string): string {
  try {
    return readFileSync(join(folder, 'count-1'), 'utf8');
  } catch {
    return '';
  }
}

test('every code block of the document is an example with a name and a behaviour', () => {
  expect(examples.size).toBe([...markdown.matchAll(/^```\w+$/gm)].length);
  expect(Object.keys(behaviours)).toEqual([...examples.keys()]);
});

describe('the example', () => {
  test.each(Object.entries(behaviours))('%s does what it says', async (_, behave) => {
    await behave();
  });
});

test('the examples are well typed', async () => {
  const folder = createTempFolder({ ...Object.fromEntries(modules), 'package.json': '{ "type": "module" }' });
  symlinkSync(`${repositoryRoot}node_modules`, join(folder, 'node_modules'));
  const options = {
    ...(JSON.parse(readFileSync(`${repositoryRoot}tsconfig.json`, 'utf8')) as { compilerOptions: object })
      .compilerOptions,
    // What an example does not need is there to be seen.
    noUnusedParameters: false,
    paths: { 'tsserve/gateway': [`${repositoryRoot}src/gateway.ts`] },
  };
  const config = join(folder, 'tsconfig.json');
  writeFiles(folder, { 'tsconfig.json': JSON.stringify({ compilerOptions: options, include: ['*.ts'] }) });
  const compiler = startProcess([
    process.execPath,
    `${repositoryRoot}node_modules/typescript/bin/tsc`,
    '-p',
    config,
  ]);
  const { code } = await compiler.exit;
  expect([code, compiler.stdout]).toEqual([0, '']);
});
