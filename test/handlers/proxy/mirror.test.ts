import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PieceSource, pause, waitUntil } from '../../http1/client-peer.ts';
import { answer } from '../../upstream/upstream-fixture.ts';
import { handle, ProxyBench, type ProxyInput, readText } from './proxy-fixture.ts';

let bench: ProxyBench;
beforeEach(() => {
  bench = new ProxyBench();
});
afterEach(() => bench.close());

/** A proxy with a mirror: what each of the two peers got. */
async function start(
  settings: ProxyInput['mirror'],
  shadowAnswer: () => string | null,
  more: ProxyInput = {},
) {
  const own = await bench.around.startPeer(() => answer('own'));
  const shadow = await bench.around.startPeer(() => shadowAnswer());
  const upstream = bench.around.createUpstream({ servers: [own.url] }, 'own');
  const mirrored = bench.around.createUpstream({ servers: [shadow.url], timeouts: { read: '5s' } }, 'shadow');
  const handler = bench.create(upstream, { ...more, mirror: settings }, [mirrored]);
  return { handler, own, shadow, mirrored };
}

describe('a mirror', () => {
  test('gets a copy of the request, and its answer goes nowhere', async () => {
    const { handler, own, shadow } = await start({ upstream: 'shadow' }, () =>
      answer('shadow', 'Set-Cookie: a=1\r\n'),
    );
    const reply = await handle(handler, { target: '/a?b', fields: ['Host', 'a', 'X-A', '1'] });
    expect([await readText(reply), reply.fields]).toEqual(['own', []]);
    await waitUntil(() => shadow.requests.length === 1);
    expect(shadow.requests[0].replace(/X-Request-Id: .*/, '')).toBe(
      own.requests[0].replace(/X-Request-Id: .*/, ''),
    );
  });

  test('gets its share, and uses its connections again', async () => {
    const { handler, shadow } = await start({ upstream: 'shadow', share: 25 }, () =>
      answer('x'.repeat(100_000)),
    );
    for (let i = 0; i < 40; i++) {
      await readText(await handle(handler));
      await pause(2);
    }
    await waitUntil(() => shadow.requests.length === 10);
    expect(shadow.sockets.length).toBeLessThan(10);
  });

  test.each<[string, () => string | null]>([
    ['says nothing', () => ''],
    ['resets', () => null],
    ['talks nonsense', () => 'nonsense\r\n\r\n'],
    ['never ends', () => 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nx'],
  ])('that %s neither fails nor slows a request', async (_, shadowAnswer) => {
    const { handler } = await start({ upstream: 'shadow' }, shadowAnswer);
    const startMs = performance.now();
    for (let i = 0; i < 20; i++) expect(await readText(await handle(handler))).toBe('own');
    expect(performance.now() - startMs).toBeLessThan(2000);
  });

  test('never has more requests than it may', async () => {
    const { handler, shadow, mirrored } = await start({ upstream: 'shadow', concurrency: 3 }, () => '');
    for (let i = 0; i < 10; i++) await handle(handler);
    await waitUntil(() => shadow.requests.length === 3);
    expect(mirrored.snapshot()[0].inFlight).toBe(3);
  });

  test('T6: gets the body too when that is buffered, and else no copy', async () => {
    const body = () => new PieceSource(null, [Buffer.from('one '), Buffer.from('two')], 1);
    const plain = await start({ upstream: 'shadow' }, () => answer(''));
    await handle(plain.handler, { method: 'POST', body: body() });
    await pause(50);
    expect(plain.shadow.requests).toEqual([]);
    const buffered = await start({ upstream: 'shadow' }, () => answer(''), { requestBuffering: true });
    await handle(buffered.handler, { method: 'POST', body: body() });
    await waitUntil(() => buffered.shadow.requests.join('').endsWith('\r\n\r\none two'));
    expect(buffered.own.requests.join('')).toMatch(/Content-Length: 7\r\n\r\none two$/);
  });
});
