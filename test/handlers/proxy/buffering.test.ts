import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BodyStore } from '../../../src/handlers/proxy/body-store.ts';
import { BufferedSource } from '../../../src/handlers/proxy/buffered-source.ts';
import { type StoredBody, storeBody } from '../../../src/handlers/proxy/stored-body.ts';
import type { BodySource, RequestBody } from '../../../src/message/body.ts';
import { PieceSource, pause, readAll, waitUntil } from '../../http1/client-peer.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { answer } from '../../upstream/upstream-fixture.ts';
import { createExchange, handle, ProxyBench, readText } from './proxy-fixture.ts';

const folder = createTempFolder();
const createStore = (memory: number, disk = 1_000_000, place = folder) =>
  new BodyStore({ memory, disk, folder: place });

/** Descriptors of this process whose file stands, or stood, in the folder. */
function countFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

function store(source: PieceSource, into: BodyStore): Promise<StoredBody> {
  const body: RequestBody = Object.assign(source, { limit: Number.POSITIVE_INFINITY });
  return new Promise((resolve, reject) => {
    storeBody(body, into, (error, stored) => (stored === null ? reject(error) : resolve(stored)));
  });
}

/** Pieces of that size each. */
function cut(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let i = 0; i < bytes.length; i += size) pieces.push(bytes.subarray(i, i + size));
  return pieces;
}

describe('T6: a request body that is stored', () => {
  test.each<[number, number, number | null]>([
    [0, 1, null],
    [1, 1, null],
    [2, 1, 0],
    [1000, 1, null],
    [1000, 1000, 0],
    [1001, 7, null],
    [300_000, 4096, 0],
    [900_000, 65_536, null],
  ])('is the same bytes as often as it is read: %i bytes in pieces of %i', async (length, size, delayMs) => {
    const bytes = randomBytes(length);
    const into = createStore(1000);
    const stored = await store(new PieceSource(null, cut(bytes, size), delayMs), into);
    expect(stored.length).toBe(length);
    expect(readdirSync(folder)).toEqual([]);
    expect([into.fileBytes, countFiles()]).toEqual(length > 1000 ? [length, 1] : [0, 0]);
    const [a, b] = [stored.createSource(), stored.createSource()];
    expect(a.length).toBe(length);
    expect((await readAll(a)).equals(bytes)).toBe(true);
    for (let i = 0; i < 2; i++) {
      b.rewind?.();
      await new Promise((resolve) => b.read(resolve));
      b.cancel();
    }
    b.rewind?.();
    expect((await readAll(b)).equals(bytes)).toBe(true);
    stored.release();
    await waitUntil(() => countFiles() === 0);
    expect(into.fileBytes).toBe(0);
  });

  test('is kept for who is in the middle of it, and no longer', async () => {
    const bytes = randomBytes(200_000);
    const into = createStore(1000);
    const stored = await store(new PieceSource(null, [bytes]), into);
    const source = stored.createSource();
    const first = await new Promise<Uint8Array | null>((resolve) =>
      source.read((_, chunk) => resolve(chunk)),
    );
    stored.release();
    expect(Buffer.concat([first ?? Buffer.alloc(0), await readAll(source)]).equals(bytes)).toBe(true);
    await waitUntil(() => countFiles() === 0);
  });

  test('that finds no room is refused, and leaves its room to others', async () => {
    const into = createStore(1000, 50_000);
    const stored = await store(new PieceSource(null, [randomBytes(40_000)]), into);
    await expect(store(new PieceSource(null, cut(randomBytes(20_000), 3000)), into)).rejects.toMatchObject({
      code: 'TSS_BUFFER_FULL',
      status: 503,
    });
    expect(into.fileBytes).toBe(40_000);
    stored.release();
    const next = await store(new PieceSource(null, [randomBytes(45_000)]), into);
    expect(next.length).toBe(45_000);
    next.release();
    await expect(store(new PieceSource(null, [randomBytes(20)]), createStore(10, 0))).rejects.toMatchObject({
      code: 'TSS_BUFFER_FULL',
    });
  });

  test('whose file cannot be made is a 500 that says why', async () => {
    const into = createStore(1000, 50_000, '/nonexistent');
    await expect(store(new PieceSource(null, [randomBytes(2000)]), into)).rejects.toMatchObject({
      code: 'TSS_BUFFER_FILE',
      status: 500,
      detail: expect.stringContaining('ENOENT'),
    });
    expect(into.fileBytes).toBe(0);
  });

  test('that fails, or is given up, leaves nothing behind', async () => {
    const into = createStore(1000);
    const failing = new PieceSource(null, [randomBytes(5000), new Error('the client left')], 1);
    await expect(store(failing, into)).rejects.toThrow('the client left');
    let told = 0;
    const source = new PieceSource(null, cut(randomBytes(50_000), 5000), 5);
    const giveUp = storeBody(Object.assign(source, { limit: 1e9 }), into, () => told++);
    await waitUntil(() => into.fileBytes > 5000);
    giveUp();
    giveUp();
    await pause(30);
    expect([told, source.cancelled, into.fileBytes]).toEqual([0, true, 0]);
    await waitUntil(() => countFiles() === 0);
  });
});

describe('a request whose body is buffered', () => {
  let bench: ProxyBench;
  beforeEach(() => {
    bench = new ProxyBench();
  });
  afterEach(() => bench.close());

  const buffered = { requestBuffering: { memory: 1000, folder } };
  const body = () => new PieceSource(null, cut(Buffer.alloc(5000, 'x'), 700), 0);

  test('T6: is sent to the next server with the same bytes when it may be, and is gone then', async () => {
    const dying = await bench.around.startPeer(() => null);
    let got = '';
    const well = await bench.around.startPeer((_, data) => {
      got += data;
      return got.endsWith('xxx') && got.includes('\r\n\r\n') && got.split('\r\n\r\n')[1].length === 5000
        ? answer('ok')
        : '';
    });
    const upstream = bench.around.createUpstream({ servers: [dying.url, well.url] });
    const handler = bench.create(upstream, buffered);
    expect(await readText(await handle(handler, { method: 'PUT', body: body() }))).toBe('ok');
    expect(dying.requests.length).toBe(1);
    expect(got).toMatch(/Content-Length: 5000\r\n\r\nx{5000}$/);
    await waitUntil(() => countFiles() === 0);
  });

  test('T8: is not sent twice when that could do something twice', async () => {
    const dying = await bench.around.startPeer(() => null);
    const well = await bench.around.startPeer(() => answer('ok'));
    const handler = bench.create(bench.around.createUpstream({ servers: [dying.url, well.url] }), buffered);
    await expect(handle(handler, { method: 'POST', body: body() })).rejects.toMatchObject({ status: 502 });
    expect(well.requests).toEqual([]);
    await waitUntil(() => countFiles() === 0);
  });

  test('is not begun before the body is there, and not at all when the client leaves', async () => {
    const peer = await bench.around.startPeer(() => answer('ok'));
    const handler = bench.create(bench.around.createUpstream({ servers: [peer.url] }), buffered);
    const exchange = createExchange({
      method: 'PUT',
      body: new PieceSource(null, cut(Buffer.alloc(5000), 100), 5),
    });
    const reply = handle(handler, exchange);
    await pause(50);
    exchange.onAbort?.();
    await expect(reply).rejects.toMatchObject({ code: 'TSS_CLIENT_CLOSED' });
    await pause(20);
    expect(peer.sockets).toEqual([]);
    await waitUntil(() => countFiles() === 0);
  });
});

/** Reads one chunk. */
function readChunk(source: BodySource): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) =>
    source.read((error, chunk) => (error ? reject(error) : resolve(chunk))),
  );
}

describe('a response body that is buffered', () => {
  test.each<[string, number, number, number | null]>([
    ['at once', 1000, 1_000_000, null],
    ['slowly', 1000, 1_000_000, 0],
    ['with little room', 1000, 20_000, 0],
    ['with no room for files', 5000, 0, null],
    ['in memory', 1_000_000, 0, null],
  ])('is whole, whatever the pace of the client (%s)', async (_, memory, disk, delayMs) => {
    const bytes = randomBytes(300_000);
    const into = createStore(memory, disk);
    for (const clientDelayMs of [0, 1]) {
      const source = new BufferedSource(new PieceSource(null, cut(bytes, 9000), delayMs), into);
      const got: Uint8Array[] = [];
      for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source)) {
        got.push(chunk);
        if (clientDelayMs > 0 && got.length % 3 === 0) await pause(clientDelayMs);
      }
      expect(Buffer.concat(got).equals(bytes)).toBe(true);
      expect(into.fileBytes).toBe(0);
    }
    await waitUntil(() => countFiles() === 0);
  });

  test('is taken from the upstream while nobody reads, as far as there is room', async () => {
    const whole = new PieceSource(null, cut(randomBytes(100_000), 1000));
    const buffered = new BufferedSource(whole, createStore(2000));
    await waitUntil(() => whole.reads === 101);
    expect(readdirSync(folder)).toEqual([]);
    const bounded = new PieceSource(null, cut(randomBytes(100_000), 1000));
    const source = new BufferedSource(bounded, createStore(2000, 10_000));
    await pause(50);
    // Two in memory, ten in the file, one that is held.
    expect(bounded.reads).toBe(13);
    buffered.cancel();
    source.cancel();
    expect([whole.cancelled, bounded.cancelled]).toEqual([true, true]);
    await waitUntil(() => countFiles() === 0);
  });

  test('T28: is passed on at once to a client that waits', async () => {
    const source = new BufferedSource(
      new PieceSource(null, [Buffer.alloc(5000, 'a'), Buffer.from('b')], 20),
      createStore(1000),
    );
    expect((await readChunk(source))?.length).toBe(5000);
    expect(await readChunk(source)).toEqual(Buffer.from('b'));
    expect(await readChunk(source)).toBe(null);
    source.cancel();
  });

  test('T5: that is cut is given as far as it came, and then the cut', async () => {
    const source = new BufferedSource(
      new PieceSource(null, [...cut(randomBytes(5000), 1000), new Error('cut')]),
      createStore(1000),
    );
    await pause(20);
    let bytes = 0;
    await expect(
      (async () => {
        for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source))
          bytes += chunk.length;
      })(),
    ).rejects.toThrow('cut');
    expect(bytes).toBe(5000);
    await waitUntil(() => countFiles() === 0);
  });

  test('goes at the pace of the client when no file can be written', async () => {
    const bytes = randomBytes(50_000);
    const piece = new PieceSource(null, cut(bytes, 1000));
    const source = new BufferedSource(piece, createStore(3000, 1_000_000, '/nonexistent'));
    await pause(20);
    expect(piece.reads).toBe(4);
    expect((await readAll(source)).equals(bytes)).toBe(true);
  });
});
