import { describe, expect, it } from 'vitest';
import { ClientResponseBody, createWholeBody } from '../../src/message/client-response-body.ts';

const large = (fill: number) => Buffer.alloc(64 * 1024, fill);

/** Reads the next chunk of a body that has one. */
function readNow(body: ClientResponseBody): Uint8Array {
  let taken: Uint8Array | null = null;
  body.read((_error, chunk) => {
    taken = chunk;
  });
  if (taken === null) throw new Error('no chunk at hand');
  return taken;
}

function createBody(): ClientResponseBody {
  return new ClientResponseBody(null, { resumeBody: () => {}, dropBody: () => {} });
}

describe('a chunk that nobody asked for yet', () => {
  it.each([
    ['small', 10],
    ['large', 64 * 1024],
  ])('keeps its place when more comes although no more was wanted: %s', (_name, size) => {
    const body = createBody();
    for (const fill of [1, 2, 3]) expect(body.push(Buffer.alloc(size, fill))).toBe(false);
    body.finish(null);
    const chunk = readNow(body);
    expect(chunk.length).toBe(3 * size);
    for (const fill of [1, 2, 3]) expect(chunk[fill * size - 1]).toBe(fill);
    body.recycle(chunk);
    let ended = false;
    body.read((error, next) => {
      ended = error === null && next === null;
    });
    expect(ended).toBe(true);
  });
});

describe('the memory of large chunks', () => {
  it('is used again once it was given back, and only then', () => {
    const body = createBody();
    body.push(large(1));
    const first = readNow(body);
    body.push(large(2));
    const second = readNow(body);
    expect(second.buffer).not.toBe(first.buffer);
    body.recycle(second);
    body.push(large(3));
    const third = readNow(body);
    expect(third.buffer).toBe(second.buffer);
    expect(first.every((byte) => byte === 1)).toBe(true);
    expect(third.every((byte) => byte === 3)).toBe(true);
  });

  it('is taken back once: a second time, or for a chunk of another body, nothing happens', () => {
    const [a, b, c] = [createBody(), createBody(), createBody()];
    a.push(large(1));
    const chunk = readNow(a);
    a.recycle(chunk);
    a.recycle(chunk);
    b.recycle(chunk);
    b.push(large(2));
    c.push(large(3));
    const [ofB, ofC] = [readNow(b), readNow(c)];
    expect(ofB.buffer).not.toBe(ofC.buffer);
    expect(ofB.every((byte) => byte === 2)).toBe(true);
  });

  it('is not shared with the buffer that the bytes came in', () => {
    const source = large(7);
    const body = createWholeBody(source);
    if (body?.kind !== 'stream') throw new Error('a large body is read in a chunk');
    source.fill(0);
    let chunk: Uint8Array | null = null;
    body.source.read((_error, bytes) => {
      chunk = bytes;
    });
    expect(chunk).toEqual(new Uint8Array(large(7)));
    expect(body.source.length).toBe(64 * 1024);
  });
});

describe('a body that came with its head', () => {
  it('is bytes when it is short, and nothing when it is empty', () => {
    const short = Buffer.from('short');
    const body = createWholeBody(short);
    short.fill(0);
    expect(body).toMatchObject({ kind: 'bytes' });
    expect(body?.kind === 'bytes' && Buffer.from(body.bytes).toString()).toBe('short');
    expect(createWholeBody(Buffer.alloc(0))).toBeNull();
  });
});
