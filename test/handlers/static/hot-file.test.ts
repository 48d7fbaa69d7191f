import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import type { FileCache } from '../../../src/handlers/static/file-cache.ts';
import { isAtRest } from '../../../src/handlers/static/file-version.ts';
import { pieceBytes } from '../../../src/handlers/static/piece-cache.ts';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';
import type { BodySource } from '../../../src/message/body.ts';
import { getField } from '../../../src/message/fields.ts';
import type { Handler } from '../../../src/message/handler.ts';
import type { HttpError } from '../../../src/message/http-error.ts';
import { answerReply, createDeps, createExchange, readBody } from '../exchange.ts';
import { createSettings, SiteFolder, waitForClosedFiles } from './site-folder.ts';

const reads = vi.hoisted(() => ({ count: 0, before: (): void => {}, failsAfter: false }));

vi.mock('node:fs', async (importActual) => {
  const actual = await importActual<typeof import('node:fs')>();
  const read = (...args: Parameters<typeof actual.read>): void => {
    reads.count++;
    reads.before();
    actual.read(...args);
  };
  const fstatSync = (...args: Parameters<typeof actual.fstatSync>) => {
    if (reads.failsAfter && reads.count > 0) throw new Error('ESTALE: stale file handle, fstat');
    return actual.fstatSync(...args);
  };
  return { ...actual, read, fstatSync };
});

// A whole piece, another one, and a bit.
const size = 2 * pieceBytes + 1_000;
const longAgo = new Date('2024-03-01T12:00:00.123Z');
let folder: SiteFolder;
let full: string;
let content: Buffer;

beforeEach(() => {
  folder = new SiteFolder();
  content = createContent(7);
  full = folder.write('big.bin', content);
  reads.count = 0;
  reads.before = () => {};
  reads.failsAfter = false;
  // Only the monotonic clock stands still.
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  folder.remove();
});

function createContent(seed: number, length = size): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32LE((i * 2_654_435_761 + seed) >>> 0, i);
  return bytes;
}

function create(settings: Partial<StaticSettings> = {}): Handler & { cache: FileCache } {
  const deps = createDeps();
  const handler = createStatic(createSettings(folder.root, settings), deps);
  return { ...handler, cache: deps.shared.values<FileCache>('static:')[0] };
}

function open(handler: Handler, fields: string[] = [], path = '/big.bin'): BodySource {
  const { body } = answerReply(handler, createExchange(path, fields));
  if (body?.kind !== 'stream') throw new Error('not streamed');
  return body.source;
}

function readChunk(source: BodySource): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    source.read((error, chunk) => (error === null ? resolve(chunk) : reject(error)));
  });
}

async function readAll(source: BodySource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The bytes that a body has, or the words that it fails with. */
async function readOutcome(source: BodySource): Promise<Buffer | string> {
  return readAll(source).catch((error: HttpError) => `${error.code} ${error.detail}`);
}

async function heat(handler: Handler): Promise<void> {
  for (let i = 0; i < 2; i++) expect((await readAll(open(handler))).equals(content)).toBe(true);
}

describe('a large file that is asked for again', () => {
  it('is read a second time, and then sent from memory, whole and in part', async () => {
    const handler = create();
    await readAll(open(handler));
    expect(handler.cache.pieces.bytes).toBe(0);
    await readAll(open(handler));
    const before = reads.count;
    expect((await readAll(open(handler))).equals(content)).toBe(true);
    for (const [first, last] of [
      [0, 0],
      [pieceBytes - 1, pieceBytes],
      [pieceBytes, 2 * pieceBytes - 1],
      [5, size - 5],
      [size - 1, size - 1],
    ]) {
      const source = open(handler, ['Range', `bytes=${first}-${last}`]);
      expect((await readAll(source)).equals(content.subarray(first, last + 1))).toBe(true);
    }
    expect(reads.count).toBe(before);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('keeps its pieces, whoever gives back a part of them', async () => {
    const handler = create();
    for (let i = 0; i < 4; i++) {
      const source = open(handler);
      const chunks: Buffer[] = [];
      for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source)) {
        chunks.push(Buffer.from(chunk));
        source.recycle?.(chunk);
        folder.write('other.bin', createContent(i));
        await readAll(open(handler, ['Range', 'bytes=1-400000'], '/other.bin'));
      }
      expect(Buffer.concat(chunks).equals(content)).toBe(true);
    }
  });

  it('is read from disk each time when largeCacheSize is 0', async () => {
    const handler = create({ largeCacheSize: 0 });
    for (let i = 0; i < 3; i++) {
      reads.count = 0;
      expect((await readAll(open(handler))).equals(content)).toBe(true);
      expect(reads.count).toBeGreaterThan(0);
    }
    expect(handler.cache.pieces.bytes).toBe(0);
  });

  it('is read from disk each time while somebody may be writing to it', async () => {
    const handler = create();
    const justNow = new Date();
    utimesSync(full, justNow, justNow);
    for (let i = 0; i < 3; i++) expect((await readAll(open(handler))).equals(content)).toBe(true);
    expect(handler.cache.pieces.bytes).toBe(0);
  });

  it('is read about once for many who ask at the same time', async () => {
    const handler = create();
    const bodies = await Promise.all(Array.from({ length: 30 }, () => readAll(open(handler))));
    expect(bodies.every((body) => body.equals(content))).toBe(true);
    // One who asks first reads alone, at most 128 KiB at a time; all others share one read of each piece.
    expect(reads.count).toBeLessThanOrEqual(3 + Math.ceil(size / (128 * 1024)));
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('reaches those who wait for a read although the client that began it has left', async () => {
    const handler = create();
    open(handler).read(() => {});
    const [reader, waiter] = [open(handler), open(handler)];
    let called = false;
    reader.read(() => {
      called = true;
    });
    const rest = readAll(waiter);
    reader.cancel();
    expect((await rest).equals(content)).toBe(true);
    expect(called).toBe(false);
  });

  it('comes in modest chunks for a client that is slow, and in larger ones for one that is quick', async () => {
    const handler = create();
    await heat(handler);
    const source = open(handler);
    const lengths: (number | undefined)[] = [];
    for (const pauseMs of [0, 49, 50, 5_000, 0]) {
      vi.advanceTimersByTime(pauseMs);
      lengths.push((await readChunk(source))?.length);
    }
    const modest = 128 * 1024;
    expect(lengths).toEqual([modest, pieceBytes - modest, modest, modest, pieceBytes - 2 * modest]);
    source.cancel();
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });
});

const changes: [string, () => void][] = [
  ['overwritten in place', () => writeFileSync(full, createContent(8))],
  ['truncated', () => truncateSync(full, 1_000)],
  ['emptied', () => truncateSync(full, 0)],
  ['deleted', () => rmSync(full)],
  [
    'replaced by another of the same size and time',
    () => {
      folder.write('next.bin', createContent(8));
      renameSync(`${folder.root}/next.bin`, full);
    },
  ],
  ['grown', () => appendFileSync(full, 'appended')],
];

describe('a large file that changes', () => {
  it.each(changes)(
    '%s while it is sent from memory: the client gets the version it was promised',
    async (_name, change) => {
      const handler = create();
      await heat(handler);
      const source = open(handler);
      const first = (await readChunk(source)) as Uint8Array;
      change();
      expect(Buffer.concat([first, await readAll(source)]).equals(content)).toBe(true);
      expect(await waitForClosedFiles(folder.base)).toBe(0);
    },
  );

  it.each([
    ['overwritten in place', 'TSS_FILE_READ /big.bin: the file was overwritten while it was sent'],
    ['truncated', 'TSS_FILE_READ /big.bin: the file was truncated while it was sent'],
    ['emptied', 'TSS_FILE_READ /big.bin: the file was truncated while it was sent'],
    ['deleted', 'rest'],
    ['replaced by another of the same size and time', 'rest'],
    ['grown', 'rest'],
  ])('%s while only its beginning is in memory: the promised version or an error', async (name, expected) => {
    const handler = create({ largeCacheSize: pieceBytes + 600 });
    await heat(handler);
    const source = open(handler);
    const first = (await readChunk(source)) as Uint8Array;
    changes.find(([each]) => each === name)?.[1]();
    const outcome = await readOutcome(source);
    if (typeof outcome === 'string') expect(outcome).toBe(expected);
    else expect([expected, outcome.equals(content.subarray(first.length))]).toEqual(['rest', true]);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it.each(changes)(
    '%s during a read that others wait for: nobody gets a mixture, and nothing of it is kept',
    async (_name, change) => {
      const handler = create();
      await readAll(open(handler));
      reads.before = () => {
        reads.before = () => {};
        change();
      };
      const sources = Array.from({ length: 5 }, () => open(handler));
      const outcomes = await Promise.all(sources.map(readOutcome));
      expect(handler.cache.pieces.bytes).toBe(0);
      for (const outcome of outcomes) {
        if (typeof outcome === 'string') expect(outcome).toMatch(/^TSS_FILE_READ .*(overwritten|truncated)/);
        else expect(outcome.equals(content)).toBe(true);
      }
      expect(await waitForClosedFiles(folder.base)).toBe(0);
    },
  );

  it('T25: is its new self for the next request, under another entity tag, and so are its pieces', async () => {
    const handler = create();
    await heat(handler);
    const getReply = () => answerReply(handler, createExchange('/big.bin'));
    const tags = new Set([getField(getReply().fields, 'etag')]);
    const contents = [createContent(8), createContent(9, size + 4), createContent(10, pieceBytes + 8)];
    for (const next of contents) {
      writeFileSync(full, next);
      utimesSync(full, longAgo, longAgo);
      for (let i = 0; i < 3; i++) {
        const reply = getReply();
        tags.add(getField(reply.fields, 'etag'));
        expect((await readBody(reply)).equals(next)).toBe(true);
      }
    }
    expect(tags.size).toBe(4);
  });

  it('fails when the system cannot tell its state any more', async () => {
    reads.failsAfter = true;
    expect(await readOutcome(open(create()))).toBe(
      'TSS_FILE_READ /big.bin: ESTALE: stale file handle, fstat',
    );
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });
});

describe('memory', () => {
  it('stays within largeCacheSize however many large files are asked for, and what is hot stays there', async () => {
    const largeCacheSize = 6 * pieceBytes;
    const handler = create({ largeCacheSize, cacheFileSize: 1_000 });
    await heat(handler);
    for (let i = 0; i < 50; i++) folder.write(`other-${i}.bin`, createContent(i, 20_000 + i));
    for (let i = 0; i < 150; i++) {
      await readAll(open(handler, [], `/other-${i % 50}.bin`));
      if (i % 50 === 0) folder.write(`huge-${i}.bin`, createContent(i, 8 * pieceBytes));
      if (i % 50 < 3) await readAll(open(handler, [], `/huge-${i - (i % 50)}.bin`));
      expect(handler.cache.pieces.bytes).toBeLessThanOrEqual(largeCacheSize);
      // Ages what is not asked for, but for what is hot.
      vi.advanceTimersByTime(150);
      if (i % 25 === 0) await readAll(open(handler));
    }
    expect(handler.cache.pieces.bytes).toBeGreaterThan(3 * pieceBytes);
    reads.count = 0;
    expect((await readAll(open(handler))).equals(content)).toBe(true);
    expect(reads.count).toBe(0);
  });

  it('of small files is not touched by large ones', async () => {
    folder.write('small.txt', 'small');
    const handler = create({ cacheSize: 2_000 });
    const small = answerReply(handler, createExchange('/small.txt'));
    for (let i = 0; i < 3; i++) await readAll(open(handler));
    expect(answerReply(handler, createExchange('/small.txt'))).toBe(small);
  });
});

describe('isAtRest', () => {
  it.each([
    [2_999, false],
    [3_000, true],
    [-2_999, false],
    [-3_000, true],
  ])('a file last written %i ms ago: %s', (ageMs, expected) => {
    const nowMs = 1_700_000_000_000;
    const mtimeNs = BigInt(nowMs - ageMs) * 1_000_000n;
    expect(isAtRest({ dev: 1n, ino: 1n, size: 1n, mtimeNs, ctimeNs: mtimeNs }, nowMs)).toBe(expected);
  });
});
