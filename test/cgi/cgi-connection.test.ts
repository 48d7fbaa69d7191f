import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { CgiProtocol } from '../../src/cgi/cgi-codec.ts';
import type { ClientAddress } from '../../src/message/upstream-connection.ts';
import { type Peer, PieceSource, readAll, readBody, startPeer } from '../http1/client-peer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  answer,
  CgiClient,
  type CgiClientOptions,
  endRequest,
  isWholeFastCgi,
  readFastCgiRequests,
  record,
  startCgiPeer,
  stderr,
  stdout,
} from './cgi-peer.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function createClient(address: ClientAddress, options?: CgiClientOptions): CgiClient {
  const client = new CgiClient(address, options);
  closers.push(() => client.close());
  return client;
}

const head = 'Content-Type: text/plain\r\n\r\n';

/** A FastCGI peer that answers each whole request with the next text; null resets the connection. */
async function startFastCgi(...answers: (string | null)[]) {
  const peer = await startCgiPeer(
    isWholeFastCgi,
    (turn) => (turn < answers.length ? answers[turn] : ''),
    false,
  );
  closers.push(() => peer.close());
  return peer;
}

/** A peer of another protocol: answers what it first reads and hangs up. */
async function startRaw(text: string) {
  const peer = await startCgiPeer(
    (input) => input.length > 0,
    () => text,
    true,
  );
  closers.push(() => peer.close());
  return peer;
}

async function startSocketPeer(onSocket: Parameters<typeof startPeer>[0]): Promise<Peer> {
  const peer = await startPeer(onSocket);
  closers.push(() => peer.close());
  return peer;
}

describe('a FastCGI connection', () => {
  test('carries one request after another', async () => {
    const peer = await startFastCgi(answer(`${head}one`), answer(`${head}two`, 5), answer(`${head}three`));
    const client = createClient(peer.address);
    for (const body of ['one', 'two', 'three']) {
      const { response } = await client.send();
      expect([response?.status, response?.fields]).toEqual([200, ['Content-Type', 'text/plain']]);
      expect(await readBody(response)).toBe(body);
    }
    expect(client.events).toEqual(['idle', 'idle', 'idle']);
    expect(client.ends).toBe(3);
    expect(readFastCgiRequests(peer.inputs[0]).map(({ flags, aborted }) => [flags, aborted])).toEqual([
      [1, false],
      [1, false],
      [1, false],
    ]);
  });

  test('is closed behind its only request when it is not to be kept', async () => {
    const peer = await startFastCgi(answer(`${head}one`));
    const client = createClient(peer.address, { keepsAlive: false });
    expect(await readBody((await client.send()).response)).toBe('one');
    expect(client.events).toEqual(['closed']);
    expect(readFastCgiRequests(peer.inputs[0])[0]).toMatchObject({ flags: 0, aborted: false });
  });

  test('goes over a unix socket', async () => {
    const path = join(createTempFolder(), 's');
    const server = createServer((socket) =>
      socket.once('data', () => socket.write(answer(`${head}unix`), 'latin1')),
    );
    await new Promise<void>((resolve) => server.listen(path, resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    expect(await readBody((await createClient({ path }).send()).response)).toBe('unix');
  });

  test('sends a body as it comes, with the variables first', async () => {
    const peer = await startFastCgi(answer(`${head}thanks`));
    const pieces = [Buffer.from('some '), Buffer.alloc(0), Buffer.alloc(100_000, 'x'), Buffer.from('!')];
    const body = new PieceSource(100_006, pieces, 2);
    const { response } = await createClient(peer.address).send({ method: 'POST', body });
    expect(await readBody(response)).toBe('thanks');
    const [request] = readFastCgiRequests(peer.inputs[0]);
    expect(request.params[0]).toEqual(['CONTENT_LENGTH', '100006']);
    expect(request.stdin).toBe(Buffer.concat(pieces).toString());
    expect(request.complete).toBe(true);
  });

  test('stops reading while nobody takes the body', async () => {
    const peer = await startSocketPeer((socket) => {
      socket.on('data', () => {
        socket.write(stdout(head), 'latin1');
        for (let i = 0; i < 400; i++) socket.write(stdout('x'.repeat(60_000)), 'latin1');
        socket.write(endRequest(), 'latin1');
      });
    });
    const client = createClient(peer.address);
    const { response } = await client.send();
    if (response?.body?.kind !== 'stream') throw new Error('no stream');
    const [socket] = peer.sockets;
    await waitUntil('the system to be full', () => socket.writableLength > 1_000_000);
    expect((await readAll(response.body.source)).length).toBe(24_000_000);
    expect(client.events).toEqual(['idle']);
  });

  test('waits for the end of the request behind the body, to be used again', async () => {
    let end = () => {};
    const peer = await startSocketPeer((socket) =>
      socket.on('data', () => {
        socket.write(stdout(`Content-Length: 2\r\n\r\nok`), 'latin1');
        end = () => socket.write(endRequest(), 'latin1');
      }),
    );
    const client = createClient(peer.address);
    for (let i = 1; i <= 2; i++) {
      const { response } = await client.send();
      expect(await readBody(response)).toBe('ok');
      expect(client.ends).toBe(i);
      end();
      await waitUntil('it to be idle', () => client.events.length === i);
    }
    expect(client.events).toEqual(['idle', 'idle']);
  });

  test('gives the length of what HEAD and 304 have not, and reads past what is sent all the same', async () => {
    const long = `Content-Length: 5\r\n${head}hello`;
    const peer = await startFastCgi(answer(long), answer(`Status: 304\r\n${long}`), answer(`${head}next`));
    const client = createClient(peer.address);
    for (const method of ['HEAD', 'GET']) {
      const { response } = await client.send({ method });
      if (response?.body?.kind !== 'stream') throw new Error('no stream');
      expect(response.body.source.length).toBe(5);
      expect((await readAll(response.body.source)).length).toBe(0);
    }
    expect(await readBody((await client.send()).response)).toBe('next');
    expect(client.events).toEqual(['idle', 'idle', 'idle']);
  });

  test('has the log say what a script complains of, each request for itself', async () => {
    const peer = await startFastCgi(
      stderr('PHP message: oh\nno \x1b[31m\n') + answer(`${head}x`),
      answer(`${head}x`),
      stderr('again') + stdout('no head') + endRequest(),
    );
    const client = createClient(peer.address);
    await client.send();
    await client.send();
    await client.fail();
    expect(client.lines).toEqual([
      'error peer says on GET "/x?y": "PHP message: oh\\nno \\u001b[31m"',
      'error peer says on GET "/x?y": "again"',
    ]);
  });

  test('does not blame a request for the complaints of the one before', async () => {
    const peer = await startFastCgi(stderr('oh') + answer(`${head}x`));
    const client = createClient(peer.address);
    await client.send();
    await waitUntil('a while', () => client.connection.idleMs > 20);
    peer.sockets[0].destroy();
    expect(await client.fail()).toMatchObject({ reused: true, requestWritten: false });
    expect(client.lines).toHaveLength(1);
  });

  test('tells the peer when the request is given up', async () => {
    const peer = await startFastCgi(stdout(`${head}some`));
    const client = createClient(peer.address);
    const { response } = await client.send();
    if (response?.body?.kind !== 'stream') throw new Error('no stream');
    response.body.source.cancel();
    await waitUntil('the word', () => readFastCgiRequests(peer.inputs[0])[0].aborted);
    expect([client.events, client.ends]).toEqual([['closed'], 1]);
  });

  test('tells the peer when its owner gives it up', async () => {
    const peer = await startFastCgi('');
    const client = createClient(peer.address);
    void client.send();
    await waitUntil('the request', () => isWholeFastCgi(peer.inputs[0] ?? ''));
    client.connection.abort();
    await waitUntil('the word', () => readFastCgiRequests(peer.inputs[0])[0].aborted);
    expect([client.events, client.ends]).toEqual([['closed'], 0]);
  });
});

describe('V4: what was not asked for reaches nobody', () => {
  test('bytes behind the end cost the connection', async () => {
    const peer = await startFastCgi(`${answer(`${head}one`)}${stdout('more')}`);
    const client = createClient(peer.address);
    expect(await readBody((await client.send()).response)).toBe('one');
    expect(client.events).toEqual(['closed']);
  });

  test('bytes on an idle connection cost it', async () => {
    const peer = await startFastCgi(answer(`${head}one`));
    const client = createClient(peer.address);
    await client.send();
    peer.sockets[0].write(answer(`${head}evil`), 'latin1');
    await waitUntil('the end', () => client.events.includes('closed'));
    expect(client.events).toEqual(['idle', 'closed']);
  });

  test('a body beyond its length is cut there, and costs the connection', async () => {
    const peer = await startFastCgi(answer(`Content-Length: 3\r\n\r\nabcdef`));
    const client = createClient(peer.address);
    expect(await readBody((await client.send()).response)).toBe('abc');
    expect(client.events).toEqual(['closed']);
  });

  test('a response that overtakes the body of its request costs the connection', async () => {
    const peer = await startSocketPeer((socket) =>
      socket.once('data', () => socket.write(answer(`${head}early`), 'latin1')),
    );
    const body = new PieceSource(10, [Buffer.from('12345')], 1);
    const client = createClient(peer.address);
    body.read = () => {};
    expect(await readBody((await client.send({ method: 'POST', body })).response)).toBe('early');
    expect([client.events, body.cancelled]).toEqual([['closed'], true]);
  });
});

describe('a failure says', () => {
  test('that the peer cannot be reached', async () => {
    const { address, close } = await startPeer(() => {});
    await close();
    expect(await createClient(address).fail()).toMatchObject({
      code: 'TSS_UPSTREAM_CONNECT',
      phase: 'connect',
      cause: 'cut',
      requestWritten: false,
      errno: 'ECONNREFUSED',
    });
  });

  test('that the peer closed, or reset, before any answer', async () => {
    const reset = await startFastCgi(null);
    const facts = { code: 'TSS_UPSTREAM_CLOSED', phase: 'head', cause: 'cut', requestWritten: true };
    expect(await createClient(reset.address).fail()).toMatchObject({ ...facts, responseStarted: false });
    const closing = await startSocketPeer((socket) =>
      socket.once('data', () => socket.end(stdout('A: b'), 'latin1')),
    );
    expect(await createClient(closing.address).fail()).toMatchObject({ ...facts, responseStarted: true });
  });

  test('that a kept connection had been closed', async () => {
    const peer = await startFastCgi(answer(`${head}one`), null);
    const client = createClient(peer.address);
    await client.send();
    expect(await client.fail()).toMatchObject({
      reused: true,
      responseStarted: false,
      code: 'TSS_UPSTREAM_CLOSED',
    });
    expect(client.events).toEqual(['idle', 'closed']);
  });

  test('that the peer is overloaded, and has not begun', async () => {
    const peer = await startFastCgi(answer(`${head}one`), endRequest(2));
    const client = createClient(peer.address);
    await client.send();
    expect(await client.fail()).toMatchObject({
      code: 'TSS_UPSTREAM_UNAVAILABLE',
      cause: 'overload',
      requestWritten: false,
      responseStarted: false,
      reused: false,
    });
  });

  test('that a body is gone with an overloaded peer', async () => {
    const peer = await startFastCgi(endRequest(2));
    const body = new PieceSource(1, [Buffer.from('x')]);
    expect(await createClient(peer.address).fail({ method: 'POST', body })).toMatchObject({
      cause: 'overload',
      requestWritten: true,
    });
  });

  test('that the answer took too long', async () => {
    const peer = await startFastCgi('');
    expect(await createClient(peer.address).fail({ readTimeoutMs: 30 })).toMatchObject({
      code: 'TSS_UPSTREAM_TIMEOUT',
      phase: 'head',
      cause: 'timeout',
    });
  });

  test.each([
    ['HTTP', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['a record of another request', record(6, head, 0, 9)],
    ['no head', endRequest()],
    ['a status that is none', answer('Status: 700\r\n\r\n')],
    ['a body that is shorter than announced', answer('Content-Length: 9\r\n\r\nabc')],
  ])('V38: that the peer answered with %s', async (_, text) => {
    const client = createClient((await startFastCgi(text)).address);
    expect(await client.fail()).toMatchObject({
      code: 'TSS_UPSTREAM_RESPONSE',
      phase: 'head',
      cause: 'response',
    });
    expect(client.events).toEqual(['closed']);
  });

  test.each([
    ['ends without its end', stdout(`${head}some`), true],
    ['ends before its length', stdout(`Content-Length: 9\r\n\r\nsome`), true],
    ['says it ends too early', `${stdout(`Content-Length: 9\r\n\r\nsome`)}|${endRequest()}`, false],
    ['turns into something else', `${stdout(`${head}some`)}|GARBAGE!`, false],
  ])('a body that %s is visibly cut', async (_, script, hangsUp) => {
    const [first, second] = script.split('|');
    const peer = await startSocketPeer((socket) =>
      socket.once('data', () => {
        socket.write(first, 'latin1');
        proceed = () => (hangsUp ? socket.end() : socket.write(second, 'latin1'));
      }),
    );
    let proceed = (): unknown => null;
    const client = createClient(peer.address);
    const { response } = await client.send();
    if (response?.body?.kind !== 'stream') throw new Error('no stream');
    const whole = readAll(response.body.source);
    proceed();
    await expect(whole).rejects.toThrow(/^TSS_UPSTREAM_/);
    expect([client.events, client.ends]).toEqual([['closed'], 1]);
  });

  test('what the body of the request failed with, and lets the connection go', async () => {
    const peer = await startFastCgi('');
    const client = createClient(peer.address);
    const body = new PieceSource(10, [Buffer.from('12345'), new Error('the client left')], 1);
    expect((await client.send({ method: 'POST', body })).failure?.message).toBe('the client left');
    const short = createClient(peer.address);
    const tooShort = new PieceSource(10, [Buffer.from('12345')], 1);
    expect((await short.send({ method: 'POST', body: tooShort })).failure?.message).toContain(
      'not the length',
    );
    const long = createClient(peer.address);
    const tooLong = new PieceSource(3, [Buffer.from('12345')], 1);
    expect((await long.send({ method: 'POST', body: tooLong })).failure?.message).toContain('not the length');
    expect(tooLong.cancelled).toBe(true);
    expect([client.events, short.events, long.events]).toEqual([['closed'], ['closed'], ['closed']]);
  });
});

describe.each<CgiProtocol>(['uwsgi', 'scgi'])('a connection of %s', (protocol) => {
  test('carries one request, and one response up to its end', async () => {
    const peer = await startRaw(`Status: 201 Created\r\n${head}made`);
    const client = createClient(peer.address, { protocol });
    const { response } = await client.send();
    expect([response?.status, await readBody(response)]).toEqual([201, 'made']);
    expect(client.events).toEqual(['closed']);
    expect(client.ends).toBe(1);
  });

  test('sends the body as it is', async () => {
    const peer = await startCgiPeer(
      (input) => input.endsWith('the end'),
      () => `${head}ok`,
      true,
    );
    closers.push(() => peer.close());
    const body = new PieceSource(12, [Buffer.from('this '), Buffer.from('the end')], 1);
    const client = createClient(peer.address, { protocol });
    expect(await readBody((await client.send({ method: 'PUT', body })).response)).toBe('ok');
    expect(peer.inputs[0]).toMatch(/CONTENT_LENGTH.*12.*this the end$/s);
  });

  test('is cut where the announced length is not reached', async () => {
    const peer = await startRaw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome');
    const { response } = await createClient(peer.address, { protocol }).send();
    await expect(readBody(response)).rejects.toThrow('TSS_UPSTREAM_CLOSED');
  });

  test('is cut where the peer resets it', async () => {
    const peer = await startSocketPeer((socket) =>
      socket.once('data', () => {
        socket.write(`${head}some`);
        setTimeout(() => socket.resetAndDestroy(), 20);
      }),
    );
    const { response } = await createClient(peer.address, { protocol }).send();
    await expect(readBody(response)).rejects.toThrow('TSS_UPSTREAM_CLOSED');
  });

  test('fails when the peer says nothing, or no head', async () => {
    for (const text of ['', 'Status: 200\r\n'])
      expect(await createClient((await startRaw(text)).address, { protocol }).fail()).toMatchObject({
        code: 'TSS_UPSTREAM_CLOSED',
        phase: 'head',
      });
  });
});

test('a request that uwsgi cannot carry fails by itself, before a byte is sent', async () => {
  const peer = await startRaw(head);
  const client = createClient(peer.address, { protocol: 'uwsgi' });
  const { failure } = await client.send({ head: `A\0${'x'.repeat(70_000)}\0` });
  expect(failure?.message).toContain('TSS_HEAD_TOO_LARGE');
  expect([client.events, peer.inputs.join('')]).toEqual([['closed'], '']);
});
