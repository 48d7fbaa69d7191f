// A Python WSGI application under uWSGI behind the binary, spoken to in uWSGI's own protocol and in SCGI.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CgiPeer, startUwsgi } from '../support/cgi-peers.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const application = `
import hashlib, json, os, time, urllib.parse

def dump(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]

def form(environ, start_response):
    body = environ['wsgi.input'].read(int(environ['CONTENT_LENGTH']))
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps(urllib.parse.parse_qs(body.decode())).encode()]

def digest(environ, start_response):
    left, total = int(environ['CONTENT_LENGTH']), hashlib.sha256()
    size = left
    while left > 0:
        piece = environ['wsgi.input'].read(min(left, 65536))
        left -= len(piece)
        total.update(piece)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [('%d %s' % (size, total.hexdigest())).encode()]

def echo(environ, start_response):
    body = environ['wsgi.input'].read(int(environ['CONTENT_LENGTH']))
    start_response('200 OK', [('Content-Type', 'application/octet-stream'), ('Content-Length', str(len(body)))])
    return [body]

def stream(environ, start_response):
    gate = urllib.parse.parse_qs(environ['QUERY_STRING'])['gate'][0]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    yield b'first\\n'
    while not os.path.exists(gate):
        time.sleep(0.01)
    yield b'last\\n'

def cookies(environ, start_response):
    start_response('404 Nothing Here', [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')])
    return [b'none here']

def away(environ, start_response):
    start_response('303 See Other', [('Location', 'https://other.example/x?y=1')])
    return []

def length(environ, start_response):
    start_response('200 OK', [('Content-Length', '5')])
    return [b'12345']

def die(environ, start_response):
    start_response('200 OK', [('Content-Length', '100')])
    yield ('pid %d\\n' % os.getpid()).encode()
    while True:
        time.sleep(0.05)

def application(environ, start_response):
    return globals()[environ['PATH_INFO'].split('/')[1]](environ, start_response)
`;

describeWithTool('uwsgi_python3', 'Python under uWSGI', (program) => {
  describe.each(['uwsgi', 'scgi'] as const)('over %s', (protocol) => {
    let peer: CgiPeer;
    let server: StartedServer;

    beforeAll(async () => {
      peer = await startUwsgi(program, protocol, application);
      server = await startServer({
        workers: 1,
        limits: { body: '64m', head: '128k', target: '64k' },
        upstreams: { app: { servers: [`${protocol}://unix:${peer.socket}`] } },
        routes: [
          { path: '/', cgi: 'app' },
          {
            path: '/mounted/',
            cgi: { upstream: 'app', scriptName: '/mounted', params: { APP_ENV: 'test' } },
          },
        ],
      });
    });

    const get = (path: string, init?: RequestInit) =>
      fetch(`${server.url}${path}`, { redirect: 'manual', ...init });
    const dump = async (path: string, init?: RequestInit) =>
      (await (await get(path, init)).json()) as Record<string, string>;

    test('has the variables that WSGI asks for', async () => {
      const variables = await dump('/dump/a%20%C3%A9?a=1', { headers: { 'X-One': 'yes' } });
      expect(variables).toMatchObject({
        REQUEST_METHOD: 'GET',
        SCRIPT_NAME: '',
        // PEP 3333: bytes as latin1.
        PATH_INFO: '/dump/a \xc3\xa9',
        QUERY_STRING: 'a=1',
        SERVER_NAME: '127.0.0.1',
        SERVER_PORT: String(server.port),
        SERVER_PROTOCOL: 'HTTP/1.1',
        REQUEST_URI: '/dump/a%20%C3%A9?a=1',
        REMOTE_ADDR: '127.0.0.1',
        HTTP_X_ONE: 'yes',
        HTTP_HOST: `127.0.0.1:${server.port}`,
        CONTENT_LENGTH: '0',
      });
      expect(await dump('/mounted/dump/x')).toMatchObject({
        SCRIPT_NAME: '/mounted',
        PATH_INFO: '/dump/x',
        APP_ENV: 'test',
      });
    });

    test('gets forms, and large bodies whole', async () => {
      const posted = await get('/form', { method: 'POST', body: new URLSearchParams({ name: 'é & co' }) });
      expect(await posted.json()).toEqual({ name: ['é & co'] });
      const body = Buffer.alloc(10 * 1024 * 1024, 'some bytes that are no multiple of anything');
      const digest = createHash('sha256').update(body).digest('hex');
      const answer = await get('/digest', { method: 'POST', body });
      expect(await answer.text()).toBe(`${body.length} ${digest}`);
      const echoed = await get('/echo', { method: 'PUT', body });
      expect(Buffer.from(await echoed.arrayBuffer()).equals(body)).toBe(true);
      const chunks = async function* () {
        for (let i = 0; i < 5; i++) yield Buffer.from(`part ${i};`);
      };
      const half = { method: 'POST', duplex: 'half', body: ReadableStream.from(chunks()) } as RequestInit;
      expect(await (await get('/echo', half)).text()).toBe('part 0;part 1;part 2;part 3;part 4;');
    });

    test('streams: what it yields arrives before it ends', async () => {
      const gate = join(createTempFolder(), 'gate');
      const { body } = await get(`/stream?gate=${encodeURIComponent(gate)}`);
      const reader = (body as ReadableStream<Uint8Array>).getReader();
      expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('first\n');
      writeFileSync(gate, '');
      expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('last\n');
      expect((await reader.read()).done).toBe(true);
    });

    test('says status, cookies and where to go', async () => {
      const cookies = await get('/cookies');
      expect([cookies.status, cookies.headers.getSetCookie(), await cookies.text()]).toEqual([
        404,
        ['a=1', 'b=2'],
        'none here',
      ]);
      const away = await get('/away');
      expect([away.status, away.headers.get('location')]).toEqual([303, 'https://other.example/x?y=1']);
    });

    test('answers HEAD without a body, and the connection goes on', async () => {
      const raw = await openRawSocket(server.port);
      const methods = ['HEAD', 'GET'];
      for (const method of methods) await raw.send(`${method} /length HTTP/1.1\r\nHost: a\r\n\r\n`);
      const [head, whole] = await raw.readReplies(2, methods);
      expect([head.status, head.body.length, whole.body.toString()]).toEqual([200, 0, '12345']);
      raw.destroy();
    });

    test('that is killed in the middle of an answer leaves it visibly cut', async () => {
      const raw = await openRawSocket(server.port);
      await raw.send('GET /die HTTP/1.1\r\nHost: a\r\n\r\n');
      await waitUntil('the pid', () => /pid \d+\n/.test(raw.received.toString()));
      process.kill(Number(/pid (\d+)/.exec(raw.received.toString())?.[1]), 'SIGKILL');
      await raw.readUntilClose();
      const [reply] = await raw.readReplies(1);
      expect([reply.status, reply.complete]).toEqual([200, false]);
      await waitUntil('another process', async () => (await get('/length')).status === 200);
    });

    test('V24 V27: sees no variable that only we may set', async () => {
      const raw = await openRawSocket(server.port);
      await raw.send(
        'GET /dump HTTP/1.1\r\nHost: a\r\nProxy: http://evil\r\nRemote_User: evil\r\nRemote-User: plain\r\n' +
          'X-Forwarded-For: 6.6.6.6\r\nScript.Name: evil\r\nConnection: close, Remote-User\r\n\r\n',
      );
      const [reply] = await raw.readReplies(1);
      expect(JSON.parse(reply.body.toString())).toMatchObject({ REMOTE_ADDR: '127.0.0.1' });
      expect(reply.body.toString()).not.toMatch(/evil|6\.6\.6\.6|HTTP_PROXY|REMOTE_USER/);
      raw.destroy();
    });

    test('a request that is too large for the protocol is answered, not cut', async () => {
      const fields = Array.from({ length: 4 }, (_, i) => `X-Large-${i}: ${'x'.repeat(20_000)}\r\n`).join('');
      const raw = await openRawSocket(server.port);
      await raw.send(`GET /length HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
      const [reply] = await raw.readReplies(1);
      // SCGI has no limit of its own, but uWSGI reads no more than 64 KiB in any protocol: it hangs up.
      expect(reply.status).toBe(protocol === 'uwsgi' ? 431 : 502);
      expect((await get('/length')).status).toBe(200);
      raw.destroy();
    });
  });
});
