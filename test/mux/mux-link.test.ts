import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { ClientFailure } from '../../src/message/client-failure.ts';
import type { Exchange } from '../../src/message/exchange.ts';
import { createTextReply, Reply } from '../../src/message/reply.ts';
import { initialCredit } from '../../src/mux/frames.ts';
import { MuxLink } from '../../src/mux/mux-link.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ChunkSource, findField, listen, readBody, readSource, startMux } from './mux-bed.ts';

const pattern = (size: number, seed = 0) => Buffer.alloc(size, 0).map((_, i) => (i * 31 + seed) & 0xff);

describe('requests on one connection', () => {
  it('are answered each by itself: a slow one holds nobody back', async () => {
    const bed = await startMux(async ({ target }: Exchange) => {
      if (target === '/slow') await sleep(300);
      return createTextReply(200, `for ${target}`, ['X-Target', target]);
    });
    const slow = bed.send('/slow');
    const quick = Array.from({ length: 200 }, (_, i) => bed.send(`/${i}`));
    await waitUntil('the quick ones are answered', () => quick.every(({ ended }) => ended), 5000);
    expect(slow.response).toBeNull();
    for (const [i, { response }] of quick.entries()) {
      expect((await readBody(response)).toString()).toBe(`for /${i}`);
      expect(findField(response?.fields ?? [], 'X-Target')).toBe(`/${i}`);
    }
    await waitUntil('the slow one is answered', () => slow.ended, 5000);
    expect((await readBody(slow.response)).toString()).toBe('for /slow');
    expect(bed.finished).toHaveLength(201);
  });

  it('keep what a field holds, and let none break out of its line', async () => {
    const value = 'a\r\nX-Injected: 1';
    const bed = await startMux(
      () => new Reply(200, ['X-A', value, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'], null),
    );
    const { response } = await settle(bed.send('/'));
    expect(response?.fields).toEqual(['X-A', 'a  X-Injected: 1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  });

  async function settle<T extends { ended: boolean; failure: Error | null }>(outcome: T): Promise<T> {
    await waitUntil('it is over', () => outcome.ended || outcome.failure !== null, 5000);
    return outcome;
  }

  it('V35: an answer that comes too late is nobody else’s', async () => {
    const waiting: (() => void)[] = [];
    const bed = await startMux(async ({ target }) => {
      if (target === '/late') await new Promise<void>((resolve) => waiting.push(resolve));
      return createTextReply(200, target);
    });
    const late = bed.send('/late', { readTimeoutMs: 50 });
    await settle(late);
    expect(late.failure).toBeInstanceOf(ClientFailure);
    expect((late.failure as ClientFailure).facts).toMatchObject({ cause: 'timeout', requestWritten: true });
    // The stream is used again, and the answer to what it was used for before comes meanwhile.
    const next = bed.send('/next');
    expect(next.stream).toBe(late.stream);
    for (const resolve of waiting) resolve();
    await settle(next);
    expect((await readBody(next.response)).toString()).toBe('/next');
    expect(bed.finished.map(({ status }) => status)).toEqual([499, 200]);
  });

  it('tell the application when nobody waits for the answer any more', async () => {
    let aborted = 0;
    const bed = await startMux((exchange) => {
      exchange.onAbort = () => aborted++;
      return new Promise(() => {});
    });
    const given = bed.send('/');
    await sleep(20);
    given.stream.abort();
    await waitUntil('the application is told', () => aborted === 1, 5000);
    expect(given).toMatchObject({ response: null, failure: null, ended: false });
  });
});

describe('bodies', () => {
  it.each([0, 1, 65_536, 65_537, 300_000, 3_000_000])(
    'of %d bytes come whole, as bytes and as streams',
    async (size) => {
      const content = pattern(size, size);
      const pieces = Array.from({ length: Math.ceil(size / 50_000) }, (_, i) => {
        return content.subarray(i * 50_000, (i + 1) * 50_000);
      });
      const bed = await startMux(({ target }) => {
        if (target === '/bytes') return new Reply(200, [], { kind: 'bytes', bytes: content });
        const source = new ChunkSource(pieces, target === '/length' ? size : null);
        return new Reply(200, [], { kind: 'stream', source });
      });
      const outcomes = ['/bytes', '/length', '/open', '/bytes', '/open'].map((target) => bed.send(target));
      await waitUntil('all have a head', () => outcomes.every(({ response }) => response !== null), 5000);
      const bodies = await Promise.all(outcomes.map(({ response }) => readBody(response)));
      for (const body of bodies) expect(body.equals(content)).toBe(true);
      await waitUntil('all are over', () => outcomes.every(({ ended }) => ended), 5000);
      expect(bed.finished).toHaveLength(5);
    },
  );

  it('are not pulled faster than the client reads, while others go on', async () => {
    const source = new ChunkSource(
      Array.from({ length: 400 }, () => pattern(20_000)),
      null,
    );
    const bed = await startMux(({ target }) =>
      target === '/large' ? new Reply(200, [], { kind: 'stream', source }) : createTextReply(200, 'x'),
    );
    const large = bed.send('/large');
    await waitUntil('it has begun', () => large.response !== null, 5000);
    for (let i = 0; i < 20; i++) {
      const other = bed.send('/');
      await waitUntil('others are answered', () => other.ended, 5000);
    }
    expect(source.readBytes).toBeLessThan(initialCredit + 200_000);
    expect((await readBody(large.response)).length).toBe(8_000_000);
  });

  it('that break off, or are not as long as announced, are seen as broken', async () => {
    const failing = () => new ChunkSource([pattern(10)], null, new Error('broken'));
    const bed = await startMux(({ target }) => {
      if (target === '/error') return new Reply(200, [], { kind: 'stream', source: failing() });
      const source = new ChunkSource([pattern(target === '/long' ? 200 : 50)], 100);
      return new Reply(200, [], { kind: 'stream', source });
    });
    for (const target of ['/error', '/long', '/short']) {
      const outcome = bed.send(target);
      await waitUntil('there is a head', () => outcome.response !== null, 5000);
      await expect(readBody(outcome.response)).rejects.toBeInstanceOf(ClientFailure);
      expect(outcome.ended).toBe(true);
    }
    expect(bed.finished.every(({ failure }) => failure !== null)).toBe(true);
  });

  it('that the client gives up are given up by the application, and the stream is free', async () => {
    const source = new ChunkSource(
      Array.from({ length: 400 }, () => pattern(20_000)),
      null,
    );
    const bed = await startMux(({ target }) =>
      target === '/large' ? new Reply(200, [], { kind: 'stream', source }) : createTextReply(200, 'x'),
    );
    const large = bed.send('/large');
    await waitUntil('it has begun', () => large.response !== null, 5000);
    if (large.response?.body?.kind === 'stream') large.response.body.source.cancel();
    await waitUntil('the source is let go', () => source.cancelled, 5000);
    const next = bed.send('/');
    await waitUntil('the next is answered', () => next.ended, 5000);
    expect((await readBody(next.response)).toString()).toBe('x');
  });

  it('of HEAD, 204 and 304 are announced and not sent', async () => {
    const bed = await startMux(({ target, method }) => {
      const source = new ChunkSource([pattern(50)], 50);
      return new Reply(method === 'HEAD' ? 200 : Number(target.slice(1)), [], { kind: 'stream', source });
    });
    const head = bed.send('/', { method: 'HEAD' });
    const [none, unchanged] = [bed.send('/204'), bed.send('/304')];
    await waitUntil('all are over', () => [head, none, unchanged].every(({ ended }) => ended), 5000);
    for (const { response } of [head, unchanged]) {
      if (response?.body?.kind !== 'stream') throw new Error('a length to announce');
      expect(response.body.source.length).toBe(50);
      expect(await readSource(response.body.source)).toHaveLength(0);
    }
    expect(none.response?.body).toBeNull();
  });
});

describe('a connection for many requests', () => {
  it('that breaks fails all that is under way, each with the facts that a retry needs', async () => {
    const source = new ChunkSource([pattern(10)], null);
    const bed = await startMux(({ target }) =>
      target === '/body'
        ? new Reply(200, [], {
            kind: 'stream',
            source: { length: null, read: () => {}, cancel: () => source.cancel() },
          })
        : new Promise(() => {}),
    );
    const body = bed.send('/body');
    const waiting = [bed.send('/1'), bed.send('/2')];
    await waitUntil('one has begun', () => body.response !== null, 5000);
    bed.socket.destroy();
    await waitUntil('all have failed', () => waiting.every(({ failure }) => failure !== null), 5000);
    await expect(readBody(body.response)).rejects.toBeInstanceOf(ClientFailure);
    for (const { failure } of waiting) {
      const expected = {
        phase: 'head',
        cause: 'cut',
        requestWritten: true,
        responseStarted: false,
        reused: true,
      };
      expect((failure as ClientFailure).facts).toMatchObject(expected);
    }
    expect(bed.closed).toEqual({ refused: false });
    await waitUntil('the application is told', () => source.cancelled && bed.finished.length === 3, 5000);
  });

  it('that brings what is no frame is closed', async () => {
    const bed = await startMux(() => new Promise(() => {}));
    const outcome = bed.send('/');
    bed.socket.write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    await waitUntil('it is given up', () => outcome.failure !== null, 5000);
    expect(bed.closed).toEqual({ refused: false });
  });

  it('is left when the application wants to end: what runs comes to its end, nothing new is taken', async () => {
    let resolve = (_reply: Reply): void => {};
    const bed = await startMux(() => new Promise((done) => (resolve = done)));
    const last = bed.send('/');
    await sleep(20);
    bed.server.drain();
    await waitUntil('the link is left', () => !bed.link.ready, 5000);
    resolve(createTextReply(200, 'last'));
    await waitUntil('the last one is answered', () => last.ended, 5000);
    expect((await readBody(last.response)).toString()).toBe('last');
    await waitUntil('both ends are closed', () => bed.closed !== null && bed.socket.destroyed, 5000);
  });

  it('is refused by whoever speaks HTTP only', async () => {
    const path = join(createTempFolder(), 'plain.sock');
    const server = await listen(path, (socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
      cleanUpLater(() => socket.destroy());
    });
    const timers = new TimerWheel(10);
    cleanUpLater(() => {
      server.close();
      timers.close();
    });
    let refused: boolean | null = null;
    new MuxLink({
      path,
      timers,
      onClosed: (isRefused) => {
        refused = isRefused;
      },
    });
    await waitUntil('it is told', () => refused !== null, 5000);
    expect(refused).toBe(true);
  });
});
