import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import type { BodySource, OnChunk } from '../../../src/message/body.ts';
import { limitBody } from '../../../src/message/limited-body.ts';
import { Reply } from '../../../src/message/reply.ts';
import { createLimitRate } from '../../../src/middleware/limit-rate/create-limit-rate.ts';
import { createExchange, readBody } from '../../handlers/exchange.ts';

let timers: TimerWheel;

beforeEach(() => {
  timers = new TimerWheel(10);
});

afterEach(() => timers.close());

/** A source that tells what it got back. */
class RecordingSource implements BodySource {
  readonly length = null;
  readonly recycled: Uint8Array[] = [];
  readonly #chunks: Uint8Array[];

  constructor(...chunks: Uint8Array[]) {
    this.#chunks = chunks;
  }

  read(onChunk: OnChunk): void {
    onChunk(null, this.#chunks.shift() ?? null);
  }

  recycle(chunk: Uint8Array): void {
    this.recycled.push(chunk);
  }

  cancel(): void {}
}

function limit(reply: Reply, rate: number, after: number, method = 'GET'): Reply {
  return createLimitRate({ rate, after }, timers)(() => reply)(createExchange('/', [], method)) as Reply;
}

describe('limitRate', () => {
  it('spreads a body over the time it takes', async () => {
    const reply = limit(
      new Reply(200, ['A', 'b'], { kind: 'bytes', bytes: Buffer.alloc(300, 'x') }),
      1_000,
      0,
    );
    const startedAtMs = performance.now();
    expect((await readBody(reply)).toString()).toBe('x'.repeat(300));
    expect(performance.now() - startedAtMs).toBeGreaterThan(150);
    expect([reply.status, reply.fields]).toEqual([200, ['A', 'b']]);
  });

  it('begins after the bytes that are free', async () => {
    const bytes = Buffer.alloc(300_000, 'x');
    const source = new RecordingSource(bytes);
    const reply = limit(new Reply(200, [], { kind: 'stream', source }), 1_000, 299_900);
    if (reply.body?.kind !== 'stream') throw new Error('no stream');
    const sizes: number[] = [];
    const startedAtMs = performance.now();
    for (let total = 0; total < 299_900; total += sizes.at(-1) ?? 0) {
      const { source: limited } = reply.body;
      sizes.push(
        await new Promise((resolve) => limited.read((_error, chunk) => resolve(chunk?.length ?? 0))),
      );
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(299_900);
    expect((await readBody(reply)).length).toBe(100);
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });

  it('leaves what is short enough, has no body, or is answered to HEAD', () => {
    const whole = new Reply(200, [], { kind: 'bytes', bytes: Buffer.alloc(10) }, true);
    expect(limit(whole, 1, 10)).toBe(whole);
    expect(limit(whole, 1, 9)).not.toBe(whole);
    expect(limit(whole, 1, 0, 'HEAD')).toBe(whole);
    const empty = new Reply(304, [], null, true);
    expect(limit(empty, 1, 0)).toBe(empty);
  });

  it('gives the memory of a chunk back with its last piece', async () => {
    const source = new RecordingSource(Buffer.alloc(300));
    const body = limitBody({ kind: 'stream', source }, 1_000, timers, 200);
    if (body?.kind !== 'stream') throw new Error('no stream');
    const pieces: number[] = [];
    for (let i = 0; i < 2; i++) {
      const piece = await new Promise<Uint8Array>((resolve) => {
        body.source.read((_error, chunk) => resolve(chunk ?? Buffer.alloc(0)));
      });
      pieces.push(source.recycled.length);
      body.source.recycle?.(piece);
    }
    expect([pieces, source.recycled.length]).toEqual([[0, 0], 1]);
  });
});
