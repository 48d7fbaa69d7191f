import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type CgiSettings, cgiShape } from '../../../src/handlers/cgi/cgi-shape.ts';
import { createCgi } from '../../../src/handlers/cgi/create-cgi.ts';
import type { Exchange } from '../../../src/message/exchange.ts';
import type { Handler } from '../../../src/message/handler.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import { answer, endRequest, isWholeFastCgi, readFastCgiRequests, startCgiPeer } from '../../cgi/cgi-peer.ts';
import { type Peer, PieceSource } from '../../http1/client-peer.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Surroundings } from '../../upstream/upstream-fixture.ts';
import { type Ask, createExchange, handle, isTrusted, readText } from '../proxy/proxy-fixture.ts';

const arounds: Surroundings[] = [];
const peers: Peer[] = [];
afterEach(async () => {
  for (const around of arounds.splice(0)) await around.close();
  for (const peer of peers.splice(0)) await peer.close();
});

type Inputs = string[];

const plain = answer('Content-Type: text/plain\r\n\r\nfine');

/** A FastCGI peer that gives each connection one of the answers, in turn; it keeps what it got. */
async function startFastCgi(...answers: string[]): Promise<Peer & { inputs: Inputs; url: string }> {
  let next = 0;
  const peer = await startCgiPeer(isWholeFastCgi, () => answers[next++] ?? plain, false);
  peers.push(peer);
  return Object.assign(peer, { url: `fastcgi://127.0.0.1:${peer.address.port}` });
}

function create(urls: string[], settings: Partial<CgiSettings> = {}): Handler {
  const around = new Surroundings();
  arounds.push(around);
  const checked = cgiShape.parse({ upstream: 'test', ...settings });
  return createCgi(checked, { upstream: around.createUpstream({ servers: urls }), isTrusted });
}

/** The variables that a peer gets for a request. */
async function send(settings: Partial<CgiSettings>, ask: Ask = {}): Promise<Record<string, string>> {
  const peer = await startFastCgi();
  const reply = await handle(create([peer.url], settings), ask);
  expect(await readText(reply)).toBe('fine');
  const { params } = readFastCgiRequests(peer.inputs[0])[0];
  const names = params.map(([name]) => name);
  expect(names).toEqual([...new Set(names)]);
  return Object.fromEntries(params);
}

/** The error that a request fails with. */
async function fail(handler: Handler, ask: Ask | Exchange = {}): Promise<HttpError> {
  const error = await new Promise((resolve, reject) => {
    handle(handler, ask).then(() => reject(new Error('answered')), resolve);
  });
  if (!(error instanceof HttpError)) throw error;
  return error;
}

function createScripts(): string {
  return createTempFolder({
    'a.php': '',
    'index.php': '',
    'dir/index.php': '',
    'dir/é.php': '',
    'x.jpg': '',
  });
}

describe('an application', () => {
  test('gets the whole path, decoded, as bytes', async () => {
    const variables = await send({}, { target: '/a%20%C3%A9/%FF?q=%20' });
    expect(variables).toMatchObject({
      SCRIPT_NAME: '',
      PATH_INFO: '/a \xc3\xa9/\xff',
      REQUEST_URI: '/a%20%C3%A9/%FF?q=%20',
      QUERY_STRING: 'q=%20',
    });
    for (const absent of ['SCRIPT_FILENAME', 'DOCUMENT_ROOT', 'CONTENT_TYPE', 'HTTPS'])
      expect(variables).not.toHaveProperty(absent);
  });

  test.each([
    ['/app', '/app', ''],
    ['/app/', '/app', '/'],
    ['/app/x', '/app', '/x'],
    ['/apple', '', '/apple'],
  ])('under /app sees %s as %j and %j', async (target, name, info) => {
    expect(await send({ scriptName: '/app' }, { target })).toMatchObject({
      SCRIPT_NAME: name,
      PATH_INFO: info,
    });
  });
});

describe('a script', () => {
  test.each<[string, Partial<CgiSettings>, string, string | undefined]>([
    ['/a.php', {}, '/a.php', undefined],
    ['/a.php/x/y', { splitPathInfo: ['.php'] }, '/a.php', '/x/y'],
    ['/a.php/', { splitPathInfo: ['.php'] }, '/a.php', '/'],
    ['/a.php/b.php/c', { splitPathInfo: ['.php'] }, '/a.php', '/b.php/c'],
    ['/x.jpg/', { splitPathInfo: ['.php', '.jpg'] }, '/x.jpg', '/'],
    ['/', { index: 'index.php' }, '/index.php', undefined],
    ['/dir/', { index: 'index.php' }, '/dir/index.php', undefined],
    ['/dir/%C3%A9.php', {}, '/dir/\xc3\xa9.php', undefined],
    ['/any/thing', { script: '/dir/index.php' }, '/dir/index.php', undefined],
  ])('is found for %s with %j', async (target, settings, name, info) => {
    const root = createScripts();
    const variables = await send({ ...settings, root }, { target });
    expect(variables).toMatchObject({
      SCRIPT_NAME: name,
      SCRIPT_FILENAME: root + name,
      DOCUMENT_ROOT: root,
      REQUEST_URI: target,
    });
    expect(variables.PATH_INFO).toBe(info);
  });

  test('is named as the peer knows it', async () => {
    const root = createScripts();
    expect(await send({ root, peerRoot: '/srv/app/' }, { target: '/a.php' })).toMatchObject({
      SCRIPT_FILENAME: '/srv/app/a.php',
      DOCUMENT_ROOT: '/srv/app',
    });
    expect(await send({ peerRoot: '/' }, { target: '/none.php' })).toMatchObject({
      SCRIPT_FILENAME: '/none.php',
      DOCUMENT_ROOT: '/',
    });
  });

  test.each([
    '/none.php',
    '/x.jpg/y.php',
    '/dir',
    '/dir/',
    '/dir/index.php/x',
    '/a.php/',
    '/a.php.',
    '/a.php%20',
    '/A.PHP',
    '/a.php::$DATA',
    '/dir%5cindex.php',
    '/%FF.php',
    '/out/secret.php',
    '/loop.php',
    `/${'long'.repeat(100)}.php`,
  ])('V27: that does not exist is 404, and no peer hears of it: %s', async (target) => {
    const root = createScripts();
    symlinkSync(createTempFolder({ 'secret.php': '' }), join(root, 'out'));
    symlinkSync('loop.php', join(root, 'loop.php'));
    const peer = await startFastCgi();
    const handler = create([peer.url], { root });
    expect(await fail(handler, { target })).toMatchObject({ code: 'TSS_NOT_FOUND' });
    expect(peer.sockets).toHaveLength(0);
  });

  test('may be behind a link that stays inside, and the root may be a link that moves', async () => {
    const folder = createTempFolder({ 'one/a.php': '', 'two/b.php': '' });
    symlinkSync('one', join(folder, 'now'));
    symlinkSync('a.php', join(folder, 'one/link.php'));
    const peer = await startFastCgi();
    const handler = create([peer.url], { root: join(folder, 'now') });
    expect(await readText(await handle(handler, { target: '/link.php' }))).toBe('fine');
    mkdirSync(join(folder, 'other'));
    symlinkSync('two', join(folder, 'other/now'));
    renameSync(join(folder, 'other/now'), join(folder, 'now'));
    expect(await readText(await handle(handler, { target: '/b.php' }))).toBe('fine');
  });
});

describe('what a peer is told of the client', () => {
  test('is what we know', async () => {
    expect(await send({}, { scheme: 'https' })).toMatchObject({
      REQUEST_SCHEME: 'https',
      HTTPS: 'on',
      REMOTE_ADDR: '203.0.113.9',
      REMOTE_PORT: '4711',
      SERVER_NAME: 'site.example',
      SERVER_PORT: '8080',
      CONTENT_LENGTH: '0',
      HTTP_HOST: 'site.example',
      HTTP_X_REQUEST_ID: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test('is what a trusted proxy says', async () => {
    const fields = ['Host', 'a', 'X-Forwarded-For', '198.51.100.1', 'X-Forwarded-Proto', 'https'];
    const variables = await send({}, { fields, peer: '10.0.0.1' });
    expect(variables).toMatchObject({
      REMOTE_ADDR: '198.51.100.1',
      HTTPS: 'on',
      REQUEST_SCHEME: 'https',
      HTTP_X_FORWARDED_FOR: '198.51.100.1',
    });
    expect(variables).not.toHaveProperty('REMOTE_PORT');
  });

  test('S22 V23 V24 V25 V27: is not what the client may not say', async () => {
    const dropped = [
      ...[
        'Proxy',
        'PROXY',
        'pRoXy',
        'X_One',
        'Remote_User',
        'X-A.B',
        "X'Y",
        'X-Forwarded-For',
        'X-Forwarded-Proto',
      ],
      ...[
        'X-Forwarded-Host',
        'Forwarded',
        'X-Real-IP',
        'X-Original-URL',
        'X-Rewrite-URL',
        'X-Accel-Redirect',
      ],
      ...[
        'X-Sendfile',
        'X-Request-Id',
        'Proxy-Authorization',
        'Keep-Alive',
        'TE',
        'Upgrade',
        'Expect',
        'Trailer',
      ],
      ...['Transfer-Encoding', 'Content-Length', 'X-Nominated', 'HTTP2-Settings', 'Proxy-Connection'],
    ];
    const fields = dropped.flatMap((name) => [name, 'forged']);
    const variables = await send(
      {},
      {
        fields: [...fields, 'Connection', 'X-Nominated, Host, Cookie', 'Host', 'a', 'Content-Type', 'text/x'],
      },
    );
    expect(JSON.stringify(variables)).not.toContain('forged');
    const names = Object.keys(variables).filter((name) => name.startsWith('HTTP_'));
    expect(names.sort()).toEqual(['HTTP_HOST', 'HTTP_X_REQUEST_ID']);
    expect(variables).toMatchObject({ CONTENT_TYPE: 'text/x', HTTP_HOST: 'a', CONTENT_LENGTH: '0' });
  });

  test('has each field once', async () => {
    const fields = ['A', '1', 'Cookie', 'a=1', 'a', '2', 'B', '', 'cookie', 'b=2', 'X-\u00e9', 'no'];
    expect(await send({}, { fields })).toMatchObject({ HTTP_A: '1, 2', HTTP_COOKIE: 'a=1; b=2', HTTP_B: '' });
  });

  test('is what the config sets, over everything', async () => {
    const params = {
      APP: 'x $request_method $http_a',
      SERVER_NAME: 'other',
      REDIRECT_STATUS: null,
      HTTP_A: 'ours',
      HTTP_B: null,
      HTTP_X_REQUEST_ID: null,
      HTTP_PROXY: '',
      PATH: '$uri',
    };
    const variables = await send({ params }, { fields: ['A', 'theirs', 'B', 'theirs'], target: '/%C3%A9' });
    expect(variables).toMatchObject({
      APP: 'x GET theirs',
      SERVER_NAME: 'other',
      HTTP_A: 'ours',
      HTTP_PROXY: '',
      PATH: '/\xc3\xa9',
    });
    for (const absent of ['REDIRECT_STATUS', 'HTTP_B', 'HTTP_X_REQUEST_ID'])
      expect(variables).not.toHaveProperty(absent);
  });

  test('V7: never holds a NUL, which would be the end of a variable', async () => {
    const peer = await startFastCgi();
    const handler = create([peer.url]);
    const error = await fail(handler, { fields: ['A', 'x\0REMOTE_USER\0root'] });
    expect(error).toMatchObject({ code: 'TSS_FIELD_SYNTAX' });
    expect(peer.sockets).toHaveLength(0);
  });
});

describe('a body', () => {
  test('of unknown length is read to its end first', async () => {
    const peer = await startFastCgi();
    const body = new PieceSource(null, [Buffer.from('some '), Buffer.alloc(9000, 'x'), Buffer.from('.')], 1);
    await handle(create([peer.url]), { method: 'POST', body });
    const [request] = readFastCgiRequests(peer.inputs[0]);
    expect(request.params[0]).toEqual(['CONTENT_LENGTH', '9006']);
    expect(request.stdin).toBe(`some ${'x'.repeat(9000)}.`);
  });

  test('of unknown length may come at once, in a thousand pieces, or be empty', async () => {
    const peer = await startFastCgi();
    const handler = create([peer.url]);
    const pieces = Array.from({ length: 20_000 }, () => Buffer.from('x'));
    await handle(handler, { method: 'POST', body: new PieceSource(null, pieces) });
    expect(readFastCgiRequests(peer.inputs[0])[0].stdin).toBe('x'.repeat(20_000));
    await handle(handler, { method: 'POST', body: new PieceSource(null, []) });
    expect(readFastCgiRequests(peer.inputs[1])[0]).toMatchObject({ stdin: '', complete: true });
  });

  test('of unknown length has a limit of its own', async () => {
    const peer = await startFastCgi();
    const body = new PieceSource(null, []);
    const exchange = createExchange({ method: 'POST', body });
    exchange.body.limit = 5000;
    await handle(create([peer.url], { bodyBuffer: 1000 }), exchange);
    expect(exchange.body.limit).toBe(1000);
  });

  test('that fails while it is read ends the request before any peer hears of it', async () => {
    const peer = await startFastCgi();
    const tooLarge = new HttpError('TSS_BODY_TOO_LARGE', 'too large');
    const body = new PieceSource(null, [Buffer.from('x'), tooLarge], 1);
    expect(await fail(create([peer.url]), { method: 'POST', body })).toBe(tooLarge);
    expect(peer.sockets).toHaveLength(0);
  });

  test('whose client leaves while it is read ends the request', async () => {
    const peer = await startFastCgi();
    const exchange = createExchange({ method: 'POST', body: new PieceSource(null, [Buffer.from('x')], 30) });
    const failed = fail(create([peer.url]), exchange);
    exchange.onAbort?.();
    expect(await failed).toMatchObject({ code: 'TSS_CLIENT_CLOSED' });
    expect(peer.sockets).toHaveLength(0);
  });
});

describe('an answer', () => {
  test('reaches the client without what is not for it', async () => {
    const fields = [
      ...['Status: 201 Made', 'X-One: 1', 'Set-Cookie: a', 'Set-Cookie: b', 'Content-Length: 4'],
      ...[
        'Connection: close',
        'Transfer-Encoding: chunked',
        'Server: x',
        'X-Accel-Redirect: /etc',
        'X-Sendfile: /etc',
      ],
    ];
    const peer = await startFastCgi(answer(`${fields.join('\n')}\n\nbody`));
    const reply = await handle(create([peer.url]));
    expect([reply.status, reply.fields]).toEqual([201, ['X-One', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b']]);
    expect(await readText(reply)).toBe('body');
  });

  test('of an overloaded peer is asked of the next one, and is 503 when there is none', async () => {
    const busy = await startFastCgi(endRequest(2), endRequest(2), endRequest(2));
    const free = await startFastCgi();
    for (const method of ['GET', 'POST']) {
      const exchange = createExchange({ method });
      expect(await readText(await handle(create([busy.url, free.url]), exchange))).toBe('fine');
      expect(exchange.upstreamStatus).toBe('503, 200');
    }
    expect(await fail(create([busy.url]))).toMatchObject({ code: 'TSS_UPSTREAM_UNAVAILABLE', status: 503 });
  });

  test('is not waited for when the client leaves', async () => {
    const peer = await startFastCgi('');
    const exchange = createExchange();
    const failed = fail(create([peer.url]), exchange);
    await waitUntil('the request', () => isWholeFastCgi(peer.inputs[0] ?? ''));
    exchange.onAbort?.();
    expect(await failed).toMatchObject({ code: 'TSS_CLIENT_CLOSED' });
    await waitUntil('the word', () => readFastCgiRequests(peer.inputs[0])[0].aborted);
  });
});
