import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findChildren, isRunning, listChildren } from '../support/processes.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { countStatuses, startRequests } from '../support/send-requests.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A site with one program behind every path. It may take a while to come up beside other tests. */
function startProgram(
  upstream: object,
  files: Record<string, string>,
  env: Record<string, string> = {},
): Promise<StartedServer> {
  const timeouts = { connect: '20s' };
  const config = { workers: 1, upstreams: { program: { timeouts, ...upstream } } };
  return startServer({ ...config, routes: [{ path: '/', proxy: 'program' }] }, { files, env });
}

const flask = `
import os, time
from flask import Flask, Response, request
app = Flask(__name__)

@app.get('/')
def who():
    return str(os.getpid())

@app.post('/echo')
def echo():
    return request.get_data()

@app.get('/stream')
def stream():
    def parts():
        for i in range(3):
            yield 'part %d\\n' % i
            time.sleep(0.1)
    return Response(parts(), mimetype='text/plain')

@app.get('/about')
def about():
    return { 'host': request.host, 'scheme': request.headers.get('X-Forwarded-Proto'), 'cwd': os.getcwd() }
`;

describeWithTool('gunicorn', 'Flask under gunicorn', () => {
  const command = ['gunicorn', '--bind', 'unix:{socket}', '--worker-tmp-dir', '/tmp', 'app:app'];

  it('answers, takes bodies, streams, and runs in the folder of the config', async () => {
    const server = await startProgram({ command }, { 'app.py': flask });
    expect(await (await fetch(server.url)).text()).toMatch(/^\d+$/);
    const body = 'x'.repeat(300_000);
    expect(await (await fetch(`${server.url}/echo`, { method: 'POST', body })).text()).toBe(body);
    expect(await (await fetch(`${server.url}/stream`)).text()).toBe('part 0\npart 1\npart 2\n');
    expect(await (await fetch(`${server.url}/about`)).json()).toEqual({
      host: `127.0.0.1:${server.port}`,
      scheme: 'http',
      cwd: server.folder,
    });
    await server.process.waitForStderr(/\[notice\] \d+#0: \[program#1\] .*Booting worker/);
  });

  it('T38: loses no GET to kills and reloads with keep-alive as it comes', async () => {
    const settings = { command, instances: 2, ready: { path: '/' } };
    const server = await startProgram(settings, { 'app.py': flask });
    await (await fetch(server.url)).text();
    const load = startRequests(server.url, { senders: 4 });
    const [first] = findChildren(server.process.pid, 'gunicorn');
    const workers = listChildren(first);
    process.kill(first, 'SIGKILL');
    await server.process.waitForStderr(/program#\d \(pid \d+\) was killed by the system/);
    // A master that is killed does not take its workers with it: whoever started them all has to.
    await waitUntil('the end of its workers', () => !workers.some(isRunning));
    await waitUntil('both', () => findChildren(server.process.pid, 'gunicorn').length === 2);
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/reloaded/, 20_000);
    const done = load.outcomes.length;
    await waitUntil('some more answers', () => load.outcomes.length > done + 50);
    expect(Object.keys(countStatuses(await load.stop()))).toEqual(['200']);
  });

  it('keeps the old code when the new one does not answer its probe', async () => {
    const settings = { command, ready: { path: '/' } };
    const server = await startProgram(settings, { 'app.py': flask });
    const before = await (await fetch(server.url)).text();
    writeFiles(server.folder, { 'app.py': 'raise RuntimeError("broken save")' });
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/broken save[\s\S]*old ones serve on/, 20_000);
    expect(await (await fetch(server.url)).text()).toBe(before);
  });

  it('ends with the server, even one that was killed', async () => {
    const server = await startProgram({ command }, { 'app.py': flask });
    await (await fetch(server.url)).text();
    const [master] = findChildren(server.process.pid, 'gunicorn');
    server.process.sendSignal('SIGKILL');
    await waitUntil('its end', () => !isRunning(master), 20_000);
  });
});

describeWithTool('uvicorn', 'an ASGI application under uvicorn', () => {
  it('answers and streams', async () => {
    const asgi = `
async def app(scope, receive, send):
    assert scope['type'] == 'http'
    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-type', b'text/plain')]})
    for part in [scope['path'].encode(), b' ', scope['query_string']]:
        await send({'type': 'http.response.body', 'body': part, 'more_body': True})
    await send({'type': 'http.response.body', 'body': b''})
`;
    const command = ['uvicorn', '--uds', '{socket}', '--lifespan', 'off', 'asgi:app'];
    const server = await startProgram({ command, instances: 2 }, { 'asgi.py': asgi });
    expect(await (await fetch(`${server.url}/a/b?c=d`)).text()).toBe('/a/b c=d');
    await server.process.waitForStderr(/\[program#2\] .*Uvicorn running/);
  });
});

describeWithTool('php', 'the server that PHP brings', () => {
  it('answers on the port that it is given', async () => {
    const command = ['php', '-S', '127.0.0.1:{port}', '-t', 'www'];
    const files = { 'www/index.php': '<?php echo $_SERVER["REQUEST_METHOD"], " ", $_GET["x"] ?? "";' };
    const server = await startProgram({ command }, files);
    expect(await (await fetch(`${server.url}/index.php?x=1`)).text()).toBe('GET 1');
  });
});

/** Ends at SIGTERM at once, whatever it is doing. */
const abrupt = `
import { createServer } from 'node:http';
createServer(async (request, response) => {
  if (request.url === '/slow') await new Promise((resolve) => setTimeout(resolve, 1000));
  response.end(process.argv[2] + ' ' + process.pid);
}).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready to serve'));
`;

describe('any program', () => {
  const command = [process.execPath, 'server.mjs', 'x; touch pwned $(touch pwned) {instance}'];
  const settings = { command, env: { PORT: '{port}' } };

  it('V36: gets its arguments as they are: no shell is there to read them', async () => {
    const server = await startProgram(settings, { 'server.mjs': abrupt });
    expect(await (await fetch(server.url)).text()).toMatch(/^x; touch pwned \$\(touch pwned\) 1 \d+$/);
    expect(existsSync(join(server.folder, 'pwned'))).toBe(false);
  });

  it('T12: is told to end when its last request is over, not before', async () => {
    const server = await startProgram(settings, { 'server.mjs': abrupt });
    const before = await (await fetch(server.url)).text();
    const pending = fetch(`${server.url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/reloaded/);
    expect(await (await fetch(server.url)).text()).not.toBe(before);
    expect(await (await pending).text()).toBe(before);
    const pid = Number(before.split(' ').at(-1));
    await waitUntil('its end', () => !isRunning(pid));
  });

  it('can say in a line that it is ready', async () => {
    const late = abrupt.replace(
      "console.log('ready to serve')",
      "setTimeout(() => console.log('ready'), 400)",
    );
    const startedAtMs = performance.now();
    const server = await startProgram({ ...settings, ready: { line: '^ready$' } }, { 'server.mjs': late });
    await fetch(server.url);
    expect(performance.now() - startedAtMs).toBeGreaterThan(400);
    await server.process.waitForStderr(/\[program#1\] ready/);
  });

  it('that is not there is named, and answered 503', async () => {
    const server = await startProgram({ command: ['no-such-program', '{port}'] }, {});
    expect((await fetch(server.url)).status).toBe(503);
    await server.process.waitForStderr(
      /program#1 could not be started: there is no program "no-such-program"/,
    );
  });

  it('that does not heed SIGTERM is killed when its time is over', async () => {
    const stubborn = `process.on('SIGTERM', () => console.log('no'));${abrupt}`;
    const server = await startProgram({ ...settings, drainTimeout: '600ms' }, { 'server.mjs': stubborn });
    const [, pid] = /(\d+)$/.exec(await (await fetch(server.url)).text()) ?? [];
    server.process.sendSignal('SIGHUP');
    await server.process.waitForStderr(/\[program#1\] no/);
    await waitUntil('its end', () => !isRunning(Number(pid)));
  });

  it('that grows too large, with what it has started, is replaced', async () => {
    const leaking = `
import { spawn } from 'node:child_process';
if (process.argv[2] === 'child') { globalThis.kept = Buffer.alloc(200e6, 1); setInterval(() => {}, 1000); }
else spawn(process.execPath, [process.argv[1], 'child']);
if (process.argv[2] !== 'child') { ${abrupt.replace("import { createServer } from 'node:http';", "const { createServer } = await import('node:http');")} }`;
    const server = await startProgram({ ...settings, maxMemory: '200m' }, { 'server.mjs': leaking });
    const [, pid] = /(\d+)$/.exec(await (await fetch(server.url)).text()) ?? [];
    const [child] = listChildren(Number(pid));
    await server.process.waitForStderr(/program#1 \(pid \d+\) is replaced at \d{3} MiB of memory/);
    await waitUntil('its end, and that of its child', () => ![Number(pid), child].some(isRunning));
  });
});

/** Tells what it runs as. */
const self = `
import { writeFileSync } from 'node:fs';
writeFileSync(process.env.OUT + '/made-' + process.pid, '');
const facts = { uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), umask: process.umask(),
  cwd: process.cwd(), env: process.env, pid: process.pid,
  heap: (await import('node:v8')).getHeapStatistics().heap_size_limit };
export default () => Response.json(facts);`;

describe('an application is kept apart', () => {
  it('V36: by its own folder, environment, umask and heap', async () => {
    const secrets = { DATABASE_PASSWORD: 'secret', TSSERVE_TOKEN: 'secret', TZ: 'UTC' };
    const server = await startServer(
      {
        workers: 1,
        upstreams: {
          api: { app: 'self.mjs', cwd: 'work', umask: '077', heap: '64m', env: { OUT: '.', GIVEN: 'yes' } },
        },
        routes: [{ path: '/', proxy: 'api' }],
      },
      { files: { 'self.mjs': self, 'work/.keep': '' }, env: secrets },
    );
    const facts = (await (await fetch(server.url)).json()) as Record<string, number> & {
      env: Record<string, string>;
      cwd: string;
    };
    expect(facts.cwd).toBe(join(server.folder, 'work'));
    expect(facts.umask).toBe(0o077);
    expect(statSync(join(server.folder, `work/made-${facts.pid}`)).mode & 0o777).toBe(0o600);
    expect(facts.heap).toBeLessThan(150 * 1024 ** 2);
    expect(facts.env).toMatchObject({ GIVEN: 'yes', TZ: 'UTC', TSSERVE_UPSTREAM: 'api' });
    expect(JSON.stringify(facts.env)).not.toMatch(/secret/);
    expect(readFileSync(`/proc/${server.process.pid}/status`, 'utf8')).not.toMatch(/^Umask:\s+0077/m);
  });

  if (process.getuid?.() === 0) {
    it('by its own user, who has a place for the socket and no other rights', async () => {
      const program = `
import { createServer } from 'node:http';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
const tryIt = (act) => { try { return act(); } catch (error) { return error.code; } };
createServer((request, response) => {
  response.end(JSON.stringify({ uid: process.getuid(), groups: process.getgroups(), home: process.env.HOME,
    others: tryIt(() => readdirSync(dirname(dirname(process.argv[2])))) }));
}).listen(process.argv[2]);`;
      const folder = createTempFolder({ 'server.mjs': program });
      chmodSync(folder, 0o755);
      const command = [process.execPath, join(folder, 'server.mjs'), '{socket}'];
      const server = await startProgram({ command, user: 'nobody', group: 'nogroup', cwd: '/' }, {});
      expect(await (await fetch(server.url)).json()).toEqual({
        uid: 65534,
        groups: [65534],
        home: '/nonexistent',
        others: 'EACCES',
      });
      await server.stop();
      const left = readdirSync('/tmp').filter((name) => name.startsWith(`tsserve-${server.process.pid}-`));
      expect(left).toEqual([]);
    });
  } else {
    it('by another user only if root starts it, and the log says so', async () => {
      const server = await startServer(
        {
          workers: 1,
          upstreams: { api: { app: 'self.mjs', user: 'nobody' } },
          routes: [{ path: '/', proxy: 'api' }],
        },
        { files: { 'self.mjs': self } },
      );
      await server.process.waitForStderr(/only root may run programs as another user/);
    });
  }
});
