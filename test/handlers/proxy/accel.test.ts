import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limitBody } from '../../../src/message/limited-body.ts';
import { Reply } from '../../../src/message/reply.ts';
import { PieceSource, readAll, waitUntil } from '../../http1/client-peer.ts';
import { answer } from '../../upstream/upstream-fixture.ts';
import { createExchange, handle, ProxyBench, readText } from './proxy-fixture.ts';

let bench: ProxyBench;
beforeEach(() => {
  bench = new ProxyBench();
});
afterEach(() => bench.close());

async function start(text: string, accel: boolean) {
  const peer = await bench.around.startPeer(() => text);
  return { peer, handler: bench.create(bench.around.createUpstream({ servers: [peer.url] }), { accel }) };
}

const order = answer(
  'unseen',
  'X-Accel-Redirect: /files/a%20b?c\r\nContent-Type: application/pdf\r\nSet-Cookie: a=1\r\nETag: "x"\r\nX-Accel-Expires: 5\r\n',
);

describe('S13: X-Accel-Redirect', () => {
  test('of an upstream that is trusted has another URI answer, with the fields that belong to the content', async () => {
    const { handler } = await start(order, true);
    expect(await handler.handle(createExchange())).toEqual({
      redirectTo: '/files/a%20b?c',
      fields: ['Content-Type', 'application/pdf', 'Set-Cookie', 'a=1'],
      asGet: true,
    });
  });

  test('V26: of any other upstream means nothing and is not seen', async () => {
    const { handler } = await start(order, false);
    const reply = await handle(handler);
    expect(await readText(reply)).toBe('unseen');
    expect(reply.fields.join()).not.toMatch(/accel/i);
  });

  test.each(['@named', 'http://evil/', ''])('to %j is the upstream at fault', async (target) => {
    const { handler } = await start(answer('', `X-Accel-Redirect: ${target}\r\n`), true);
    expect(await handler.handle(createExchange())).toMatchObject({
      status: 502,
      code: 'TSS_UPSTREAM_RESPONSE',
    });
  });

  test('lets go of a body that nobody will read', async () => {
    const { handler, peer } = await start(
      'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX-Accel-Redirect: /a\r\n\r\nx',
      true,
    );
    expect(await handler.handle(createExchange())).toMatchObject({ redirectTo: '/a' });
    await waitUntil(() => peer.sockets.every((socket) => socket.destroyed));
  });
});

describe('a limited rate', () => {
  test('S13: is what X-Accel-Limit-Rate asks for', async () => {
    const { handler } = await start(answer('x'.repeat(400), 'X-Accel-Limit-Rate: 1000\r\n'), true);
    const reply = await handle(handler);
    expect(reply.fields).toEqual([]);
    const startMs = performance.now();
    expect((await readText(reply)).length).toBe(400);
    expect(performance.now() - startMs).toBeGreaterThan(150);
  });

  test('holds for bodies at hand and streamed ones, and keeps their length', async () => {
    const whole = limitBody({ kind: 'bytes', bytes: Buffer.alloc(300, 'x') }, 1000, bench.around.timers);
    const source = new PieceSource(null, [Buffer.alloc(200, 'y'), Buffer.alloc(100, 'z')], 1);
    const streamed = limitBody({ kind: 'stream', source }, 1000, bench.around.timers);
    if (whole?.kind !== 'stream' || streamed?.kind !== 'stream') throw new Error('no stream');
    expect([whole.source.length, streamed.source.length]).toEqual([300, null]);
    const startMs = performance.now();
    const [a, b] = await Promise.all([readAll(whole.source), readAll(streamed.source)]);
    expect([a.toString(), b.toString()]).toEqual(['x'.repeat(300), 'y'.repeat(200) + 'z'.repeat(100)]);
    expect(performance.now() - startMs).toBeGreaterThan(100);
  });

  test('hands on how a body ends: cut, or given up', async () => {
    const { timers } = bench.around;
    const cut = limitBody(
      { kind: 'stream', source: new PieceSource(null, [new Error('cut')]) },
      1000,
      timers,
    );
    await expect(readText(new Reply(200, [], cut))).rejects.toThrow('cut');
    const source = new PieceSource(null, [Buffer.alloc(500)]);
    const left = limitBody({ kind: 'stream', source }, 1000, timers);
    if (left?.kind !== 'stream') throw new Error('no stream');
    let called = 0;
    left.source.read(() => called++);
    left.source.read(() => called++);
    left.source.cancel();
    expect([called, source.cancelled]).toEqual([1, true]);
  });
});
