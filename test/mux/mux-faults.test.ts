import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ClientFailure } from '../../src/message/client-failure.ts';
import { createTextReply, Reply } from '../../src/message/reply.ts';
import { initialCredit } from '../../src/mux/frames.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ChunkSource, type Outcome, readBody, readSource, startMux } from './mux-bed.ts';

const bytes = (size: number) => Buffer.alloc(size, 0).map((_, i) => (i * 31) & 0xff);

async function settle<T extends Outcome>(outcome: T): Promise<T> {
  await waitUntil('it is over', () => outcome.ended || outcome.failure !== null, 5000);
  return outcome;
}

describe('a request that the instance cannot read', () => {
  it('is refused by itself: those on the same connection are answered', async () => {
    let resolve = (_reply: Reply): void => {};
    const bed = await startMux(() => new Promise((done) => (resolve = done)), {
      refuse: ({ status, code }) => createTextReply(status, code),
    });
    const before = bed.send('/before');
    const odd = await settle(bed.send('/\u0001'));
    expect(odd.response?.status).toBe(400);
    expect((await readBody(odd.response)).toString()).toBe('TSS_REQUEST_TARGET');
    await waitUntil('the other one is there', () => bed.link.ready, 5000);
    resolve(createTextReply(200, 'whole'));
    await settle(before);
    expect((await readBody(before.response)).toString()).toBe('whole');
    expect(bed.closed).toBeNull();
  });
});

describe('an answer that is none', () => {
  it.each([
    ['more fields than are taken', Array.from({ length: 1001 }, (_, i) => `X-${i}`).flatMap((x) => [x, 'a'])],
    [
      'a head of 64 KiB and more',
      Array.from({ length: 70 }, (_, i) => `X-${i}`).flatMap((x) => [x, 'a'.repeat(1000)]),
    ],
  ])('for it has %s, fails by itself, and is not asked for again', async (_, fields) => {
    const bed = await startMux(({ target }) =>
      target === '/odd' ? new Reply(200, fields, null) : createTextReply(200, 'x'),
    );
    await settle(bed.send('/first'));
    const { failure } = await settle(bed.send('/odd'));
    expect((failure as ClientFailure).facts).toMatchObject({ cause: 'response', responseStarted: true });
    const next = await settle(bed.send('/next'));
    expect(next.response?.status).toBe(200);
  });

  it('may have 900 fields, and all of them come', async () => {
    const fields = Array.from({ length: 900 }, (_, i) => [`X-${i}`, `${i}`]).flat();
    const bed = await startMux(() => new Reply(200, fields, null));
    expect((await settle(bed.send('/'))).response?.fields).toEqual(fields);
  });
});

describe('deadlines', () => {
  it('until the first byte and between two of them may differ', async () => {
    const bed = await startMux(async ({ target }) => {
      if (target === '/never') return new Promise<Reply>(() => {});
      if (target === '/slow') await sleep(300);
      return createTextReply(200, 'x');
    });
    const never = bed.send('/never', { readTimeoutMs: 60_000, firstByteTimeoutMs: 50 });
    const slow = bed.send('/slow', { readTimeoutMs: 50, firstByteTimeoutMs: 60_000 });
    await settle(never);
    expect((never.failure as ClientFailure).facts.cause).toBe('timeout');
    await settle(slow);
    expect(slow.response?.status).toBe(200);
  });

  it('hold between two parts of a body, and not while the client is behind', async () => {
    const bed = await startMux(({ target }) => {
      const silent = { length: null, read: () => {}, cancel: () => {} };
      const large = new ChunkSource(
        Array.from({ length: 20 }, () => bytes(50_000)),
        null,
      );
      return new Reply(200, [], { kind: 'stream', source: target === '/silent' ? silent : large });
    });
    const silent = bed.send('/silent', { readTimeoutMs: 50 });
    const large = bed.send('/large', { readTimeoutMs: 50 });
    await waitUntil('both have begun', () => silent.response !== null && large.response !== null, 5000);
    await expect(readBody(silent.response)).rejects.toThrow('timed out');
    await sleep(200);
    expect((await readBody(large.response)).length).toBe(1_000_000);
  });
});

describe('an instance that ends', () => {
  it('takes nothing back of an answer that is all here, and that the client has not read yet', async () => {
    const body = bytes(200_000);
    const bed = await startMux(() => {
      return new Reply(200, [], { kind: 'stream', source: new ChunkSource([body], body.length) });
    });
    const outcome = bed.send('/');
    await waitUntil('the instance is done', () => bed.finished.length === 1, 5000);
    const behind = bed.send('/');
    await waitUntil('all of it has come', () => behind.response !== null, 5000);
    bed.socket.destroy();
    await waitUntil('the connection is gone', () => bed.closed !== null, 5000);
    expect((await readBody(outcome.response)).equals(body)).toBe(true);
    expect(outcome).toMatchObject({ ended: true, failure: null });
  });

  it('answers what was sent before it could say so', async () => {
    const bed = await startMux(() => createTextReply(200, 'answered'));
    const outcome = bed.send('/');
    bed.server.drain();
    await settle(outcome);
    expect((await readBody(outcome.response)).toString()).toBe('answered');
    await waitUntil('both ends are closed', () => bed.closed !== null && bed.socket.destroyed, 5000);
  });

  it('and breaks off has even the first request of a connection sent again', async () => {
    const bed = await startMux(() => new Promise(() => {}));
    const outcome = bed.send('/');
    await sleep(20);
    bed.socket.destroy();
    await settle(outcome);
    expect((outcome.failure as ClientFailure).facts).toMatchObject({ reused: true, responseStarted: false });
  });
});

describe('what came of a body before it broke', () => {
  it.each(['application', 'connection'])('is given to the client: the %s fails', async (what) => {
    const pieces = Array.from({ length: 8 }, () => bytes(20_000));
    const source = {
      length: null,
      read(onChunk: (error: Error | null, chunk: Uint8Array | null) => void): void {
        const piece = pieces.shift();
        if (piece !== undefined) onChunk(null, piece);
        else if (what === 'application') onChunk(new Error('broken'), null);
      },
      cancel: () => {},
    };
    const bed = await startMux(({ target }) =>
      target === '/' ? new Reply(200, [], { kind: 'stream', source }) : createTextReply(200, 'x'),
    );
    const outcome = bed.send('/');
    const behind = bed.send('/behind');
    await waitUntil('all of it has come', () => behind.ended, 5000);
    if (what === 'connection') bed.socket.destroy();
    await waitUntil('it has failed', () => what !== 'connection' || bed.closed !== null, 5000);
    const body = outcome.response?.body;
    if (body?.kind !== 'stream') throw new Error('a stream');
    let read = 0;
    const failure = await new Promise((resolve) => {
      const next = () =>
        body.source.read((error, chunk) => {
          read += chunk?.length ?? 0;
          if (chunk === null) resolve(error);
          else next();
        });
      next();
    });
    expect(read).toBe(160_000);
    expect((failure as ClientFailure).facts).toMatchObject({ phase: 'body', cause: 'cut' });
    expect(outcome.ended).toBe(true);
  });
});

describe('memory', () => {
  it('is not spent on one large piece that the client does not read', async () => {
    const large = bytes(8_000_000);
    const bed = await startMux(() => {
      return new Reply(200, [], { kind: 'stream', source: new ChunkSource([large], null) });
    });
    const outcome = bed.send('/');
    await waitUntil('it has begun', () => outcome.response !== null, 5000);
    await sleep(50);
    expect(bed.socket.bytesWritten).toBeLessThan(initialCredit + 150_000);
    expect((await readBody(outcome.response)).equals(large)).toBe(true);
    await settle(outcome);
  });

  it('is not spent on a front worker that reads too slowly, and bodies go on side by side when it reads again', async () => {
    const sources = Array.from({ length: 100 }, () => {
      return new ChunkSource(
        Array.from({ length: 20 }, () => bytes(50_000)),
        null,
      );
    });
    const bed = await startMux(({ target }) => {
      return new Reply(200, [], { kind: 'stream', source: sources[Number(target.slice(1))] });
    });
    const outcomes = sources.map((_, i) => bed.send(`/${i}`));
    let most = 0;
    const write = bed.socket.write.bind(bed.socket);
    bed.socket.write = ((chunk: Buffer) => {
      const goesOn = write(chunk);
      most = Math.max(most, bed.socket.writableLength);
      return goesOn;
    }) as typeof bed.socket.write;
    await waitUntil('all have begun', () => outcomes.every(({ response }) => response !== null), 5000);
    const bodies = await Promise.all(outcomes.map(({ response }) => readBody(response)));
    expect(bodies.every(({ length }) => length === 1_000_000)).toBe(true);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(1_000_000);
  });

  it('is not spent on many small pieces, and they come whole', async () => {
    const pieces = Array.from({ length: 100_000 }, (_, i) => Buffer.from([i & 0xff]));
    const source = {
      length: null,
      at: 0,
      read(onChunk: (error: Error | null, chunk: Uint8Array | null) => void): void {
        onChunk(null, pieces[this.at++] ?? null);
      },
      cancel: () => {},
    };
    const bed = await startMux(() => new Reply(200, [], { kind: 'stream', source }));
    const outcome = bed.send('/');
    await waitUntil('the instance is done', () => bed.finished.length === 1, 5000);
    await waitUntil('it has begun', () => outcome.response !== null, 5000);
    const body = outcome.response?.body;
    if (body?.kind !== 'stream') throw new Error('a stream');
    let reads = 0;
    const counting = {
      length: null,
      read: (onChunk: (error: Error | null, chunk: Uint8Array | null) => void) => {
        reads++;
        body.source.read(onChunk);
      },
      cancel: () => body.source.cancel(),
    };
    expect((await readSource(counting)).equals(Buffer.concat(pieces))).toBe(true);
    expect(reads).toBeLessThan(1000);
  });

  it('is not spent on an instance that reads nothing: requests go another way then', async () => {
    const refuse = () => createTextReply(414, 'x');
    const bed = await startMux(() => new Promise(() => {}), { refuse });
    bed.socket.pause();
    const head = `/${'a'.repeat(60_000)}`;
    let sent = 0;
    for (; bed.link.ready && sent < 1000; sent++) {
      bed.send(head).stream.abort();
      await new Promise(setImmediate);
    }
    expect(sent * head.length).toBeLessThan(4_000_000);
    bed.socket.resume();
    await waitUntil('it is used again', () => bed.link.ready, 5000);
  });
});
