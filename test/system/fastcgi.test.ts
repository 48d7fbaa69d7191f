// php-fpm behind the binary: what PHP sees, what clients get, and what never runs.

import { createHash } from 'node:crypto';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type CgiPeer, type Relay, startPhpFpm, startRelay } from '../support/cgi-peers.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Anything that PHP would run leaves this word; as a source it stands there in pieces. */
const ran = 'script-has-run';
const leaveWord = "<?php echo 'script', '-has-', 'run';";

const scripts = {
  'www/dump.php':
    '<?php header("Content-Type: application/json"); echo json_encode($_SERVER + ["GET" => $_GET, "PID" => getmypid()]);',
  'www/index.php': '<?php echo "index of ", $_SERVER["DOCUMENT_URI"], " as ", $_SERVER["SCRIPT_NAME"];',
  'www/post.php': '<?php header("Content-Type: application/json"); echo json_encode($_POST);',
  'www/digest.php':
    '<?php $body = file_get_contents("php://input"); echo strlen($body), " ", hash("sha256", $body);',
  'www/echo.php': '<?php $in = fopen("php://input", "r"); while (!feof($in)) echo fread($in, 65536);',
  'www/stream.php':
    '<?php echo "first\\n"; flush(); while (!file_exists($_GET["gate"])) { usleep(10000); clearstatcache(); } echo "last\\n";',
  'www/cookies.php': '<?php setcookie("a", "1"); setcookie("b", "2"); http_response_code(201); echo "baked";',
  'www/missing.php': '<?php header("Status: 404 Not Found"); echo "none here";',
  'www/away.php': '<?php header("Location: https://other.example/x?y=1");',
  'www/refuse.php': '<?php http_response_code(413); header("Content-Length: 8"); echo "too much";',
  'www/length.php': '<?php header("Content-Length: 5"); echo "12345";',
  'www/die.php':
    '<?php header("Content-Length: 100"); echo "pid ", getmypid(), "\\n"; flush(); while (true) usleep(50000);',
  'www/wait.php':
    '<?php register_shutdown_function(fn() => touch($_GET["mark"])); while (true) { echo str_repeat(" ", 8192); flush(); usleep(10000); }',
  'www/complain.php': '<?php error_log("what a \\x1b[31m day\\nline two"); echo "fine";',
  'www/upload/photo.jpg': leaveWord,
  'www/blind/photo.jpg': leaveWord,
  'www/upload/photo.jpg.php': '<?php echo "a real one";',
  'outside/secret.php': leaveWord,
} as const;

describeWithTool('php-fpm*', 'PHP over FastCGI', (program) => {
  let php: CgiPeer;
  let relay: Relay;
  let server: StartedServer;
  let folder: string;

  beforeAll(async () => {
    folder = createTempFolder(scripts);
    symlinkSync(join(folder, 'outside'), join(folder, 'www/link'));
    symlinkSync(join(folder, 'www/dump.php'), join(folder, 'www/inside.php'));
    php = await startPhpFpm(program);
    relay = await startRelay(php.socket);
    const root = join(folder, 'www');
    server = await startServer({
      workers: 1,
      limits: { body: '64m' },
      upstreams: {
        php: { servers: [`fastcgi://unix:${php.socket}`] },
        kept: { servers: [`fastcgi://${relay.address}`], keepalive: 2 },
      },
      routes: [
        {
          path: '/',
          cgi: {
            upstream: 'php',
            root,
            index: 'index.php',
            splitPathInfo: '.php',
            params: { APP_ENV: 'test of $host', SERVER_SOFTWARE: null },
          },
        },
        { path: '/kept/', cgi: { upstream: 'kept', root: join(folder, 'www'), script: '/dump.php' } },
        { path: '/blind/', cgi: { upstream: 'php', peerRoot: root } },
        { path: '/one/', cgi: { upstream: 'php', root, script: '/dump.php' } },
      ],
    });
  });

  const get = (path: string, init?: RequestInit) =>
    fetch(`${server.url}${path}`, { redirect: 'manual', ...init });
  const dump = async (path: string, init?: RequestInit) =>
    (await (await get(path, init)).json()) as Record<string, string>;

  test('has the variables that nginx would set', async () => {
    const variables = await dump('/dump.php?a=1&b=%20c', { headers: { 'X-One': 'yes', Cookie: 'k=v' } });
    expect(variables).toMatchObject({
      QUERY_STRING: 'a=1&b=%20c',
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '/dump.php',
      SCRIPT_FILENAME: join(folder, 'www/dump.php'),
      REQUEST_URI: '/dump.php?a=1&b=%20c',
      DOCUMENT_URI: '/dump.php',
      DOCUMENT_ROOT: join(folder, 'www'),
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REMOTE_ADDR: '127.0.0.1',
      SERVER_ADDR: '127.0.0.1',
      SERVER_PORT: String(server.port),
      SERVER_NAME: '127.0.0.1',
      REDIRECT_STATUS: '200',
      HTTP_HOST: `127.0.0.1:${server.port}`,
      HTTP_X_ONE: 'yes',
      HTTP_COOKIE: 'k=v',
      APP_ENV: 'test of 127.0.0.1',
      GET: { a: '1', b: ' c' },
    });
    expect(Number(variables.REMOTE_PORT)).toBeGreaterThan(0);
    for (const absent of ['HTTPS', 'PATH_INFO', 'SERVER_SOFTWARE', 'HTTP_CONNECTION'])
      expect(variables).not.toHaveProperty(absent);
  });

  test('gets the rest of a path behind the script, and its index for folders', async () => {
    expect(await dump('/dump.php/a%20b/c?q=1')).toMatchObject({
      SCRIPT_NAME: '/dump.php',
      PATH_INFO: '/a b/c',
      DOCUMENT_URI: '/dump.php/a b/c',
      REQUEST_URI: '/dump.php/a%20b/c?q=1',
    });
    expect(await (await get('/')).text()).toBe('index of / as /index.php');
    expect(await dump('/one/anything?x=1')).toMatchObject({
      SCRIPT_NAME: '/dump.php',
      REQUEST_URI: '/one/anything?x=1',
      GET: { x: '1' },
    });
    expect(await dump('/inside.php')).toMatchObject({ SCRIPT_NAME: '/inside.php' });
  });

  test('gets forms', async () => {
    const answer = await get('/post.php', {
      method: 'POST',
      body: new URLSearchParams({ name: 'é & co', n: '2' }),
    });
    expect(await answer.json()).toEqual({ name: 'é & co', n: '2' });
  });

  test('gets large bodies whole, of known and of unknown length, and gives large ones back', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024, 'some bytes that are no multiple of anything');
    const digest = createHash('sha256').update(body).digest('hex');
    const init = { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' } };
    const answer = await get('/digest.php', { ...init, body });
    expect(await answer.text()).toBe(`${body.length} ${digest}`);
    const echoed = Buffer.from(await (await get('/echo.php', { ...init, body })).arrayBuffer());
    expect(echoed.equals(body)).toBe(true);
    const chunks = async function* () {
      for (let i = 0; i < 10; i++) yield body.subarray(i * 1000, (i + 1) * 1000);
    };
    const half = { ...init, duplex: 'half' } as RequestInit;
    const chunked = await get('/digest.php', { ...half, body: ReadableStream.from(chunks()) });
    const start = createHash('sha256').update(body.subarray(0, 10_000)).digest('hex');
    expect(await chunked.text()).toBe(`10000 ${start}`);
    const endless = async function* () {
      for (let i = 0; i < 20; i++) yield body.subarray(0, 100_000);
    };
    const tooMuch = await get('/digest.php', { ...half, body: ReadableStream.from(endless()) });
    expect(tooMuch.status).toBe(413);
  });

  test('T7: that answers before it has read the body is heard', async () => {
    const body = Buffer.alloc(30 * 1024 * 1024);
    for (let i = 0; i < 3; i++) {
      const answer = await get('/refuse.php', { method: 'POST', body });
      expect([answer.status, await answer.text()]).toEqual([413, 'too much']);
    }
  });

  test('streams: what it flushes arrives before it ends', async () => {
    const gate = join(folder, 'gate');
    const { body } = await get(`/stream.php?gate=${encodeURIComponent(gate)}`);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    expect(Buffer.from(first.value as Uint8Array).toString()).toBe('first\n');
    writeFileSync(gate, '');
    const last = await reader.read();
    expect(Buffer.from(last.value as Uint8Array).toString()).toBe('last\n');
    expect((await reader.read()).done).toBe(true);
  });

  test('says status, cookies and where to go', async () => {
    const baked = await get('/cookies.php');
    expect([baked.status, baked.headers.getSetCookie(), await baked.text()]).toEqual([
      201,
      ['a=1', 'b=2'],
      'baked',
    ]);
    const missing = await get('/missing.php');
    expect([missing.status, missing.headers.get('status'), await missing.text()]).toEqual([
      404,
      null,
      'none here',
    ]);
    const away = await get('/away.php');
    expect([away.status, away.headers.get('location')]).toEqual([302, 'https://other.example/x?y=1']);
  });

  test('answers HEAD without a body, and the connection goes on', async () => {
    const raw = await openRawSocket(server.port);
    const methods = ['HEAD', 'GET'];
    for (const method of methods) await raw.send(`${method} /length.php HTTP/1.1\r\nHost: a\r\n\r\n`);
    const [head, whole] = await raw.readReplies(2, methods);
    expect([head.status, head.body.length, whole.body.toString()]).toEqual([200, 0, '12345']);
    raw.destroy();
  });

  test('keeps its connections where keepalive says so, and takes new ones for ones it closed', async () => {
    const before = relay.connections;
    for (let i = 0; i < 20; i++) await dump(`/kept/${i}`);
    expect(relay.connections - before).toBe(1);
    process.kill(Number((await dump('/kept/')).PID), 'SIGKILL');
    expect((await dump('/kept/again')).REQUEST_URI).toBe('/kept/again');
    expect(relay.connections - before).toBe(2);
  });

  test('that is killed in the middle of an answer leaves it visibly cut', async () => {
    const raw = await openRawSocket(server.port);
    await raw.send('GET /die.php HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitUntil('the pid', () => /pid \d+\n/.test(raw.received.toString()));
    process.kill(Number(/pid (\d+)/.exec(raw.received.toString())?.[1]), 'SIGKILL');
    await raw.readUntilClose();
    const [reply] = await raw.readReplies(1);
    expect([reply.status, reply.complete]).toEqual([200, false]);
    await waitUntil('another process', async () => (await get('/length.php')).status === 200);
  });

  test('is told when the client leaves', async () => {
    const mark = join(folder, 'mark');
    const raw = await openRawSocket(server.port);
    await raw.send(`GET /wait.php?mark=${mark} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await waitUntil('the script to run', () => raw.received.length > 20_000);
    expect(existsSync(mark)).toBe(false);
    raw.destroy();
    await waitUntil('the script to end', () => existsSync(mark));
  });

  test('complains into the error log, as one line without control bytes', async () => {
    expect(await (await get('/complain.php')).text()).toBe('fine');
    await server.process.waitForStderr(/says on GET "\/complain\.php": ".*line two.*"\n/);
    expect(server.process.stderr).not.toContain('\x1b');
  });

  test.each([
    '/upload/photo.jpg/y.php',
    '/upload/photo.jpg/.php',
    '/upload/photo.jpg/y.php/z',
    '/upload/photo.jpg%2fy.php',
    '/upload/photo.jpg/%2e%2e/photo.jpg/y.php',
    '/upload/photo.jpg%00.php',
    '/upload/photo.jpg%0a.php',
    '/upload/photo.jpg%0d%0a.php/a',
    '/upload/photo.jpg%E2%80%A8.php',
    '/upload/photo.jpg.PHP',
    '/upload/photo.jpg.%C7%B7HP',
    '/upload/photo.jpg%EF%BC%8Ephp',
    '/%C4%B0%C4%B0%C4%B0/photo.jpg.php/x',
    '/upload/photo.jpg%20.php',
    '/upload/photo.jpg.php.',
    '/upload/photo.jpg.php%20',
    '/upload/photo.jpg.php::$DATA',
    '/upload%5cphoto.jpg.php',
    '/link/secret.php',
    '/upload',
    '/upload/',
    '/no.php',
    '/no.php/index.php',
  ])('V27: runs nothing for %s', async (path) => {
    const raw = await openRawSocket(server.port);
    await raw.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const [reply] = await raw.readReplies(1);
    expect([400, 404]).toContain(reply.status);
    expect(reply.body.toString()).not.toContain(ran);
    raw.destroy();
  });

  test('V27: runs what exists, and shows that the attack would have been seen', async () => {
    expect(await (await get('/upload/photo.jpg.php/x')).text()).toBe('a real one');
    // Without "root" nobody checks here, and PHP looks for a script in the middle of the path by itself.
    expect(await (await get('/blind/photo.jpg/y.php')).text()).toBe(ran);
  });

  test('S22 V24 V27: no field of a client becomes HTTP_PROXY, or a variable of another name', async () => {
    const raw = await openRawSocket(server.port);
    await raw.send(
      'GET /dump.php HTTP/1.1\r\nHost: a\r\nProxy: http://evil\r\npROXY: http://evil\r\n' +
        'Remote_Addr: 6.6.6.6\r\nX_One: forged\r\nX-One: true\r\nX.Two: forged\r\nREDIRECT_STATUS: 1\r\n' +
        'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Original-URL: /admin\r\nX-Request-Id: forged\r\n' +
        'Connection: X-Nominated, close\r\nX-Nominated: 1\r\nX-List: a\r\nX-List: b\r\n\r\n',
    );
    const [reply] = await raw.readReplies(1);
    const variables = JSON.parse(reply.body.toString()) as Record<string, string>;
    expect(reply.body.toString()).not.toMatch(/evil|forged|6\.6\.6\.6|\/admin|nominated/i);
    expect(variables).toMatchObject({ HTTP_X_ONE: 'true', HTTP_X_LIST: 'a, b', REMOTE_ADDR: '127.0.0.1' });
    expect(variables).not.toHaveProperty('HTTP_PROXY');
    expect(variables).not.toHaveProperty('HTTPS');
    raw.destroy();
  });
});
