import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStatic } from '../../../src/handlers/static/create-static.ts';
import type { BodySource } from '../../../src/message/body.ts';
import type { HttpError } from '../../../src/message/http-error.ts';
import { getReplyLength } from '../../../src/message/reply.ts';
import { answerReply, createDeps, createExchange, readBody } from '../exchange.ts';
import { countOpenFiles, createSettings, SiteFolder, waitForClosedFiles } from './site-folder.ts';

const size = 700_000;
let folder: SiteFolder;
let full: string;
let content: Buffer;

beforeEach(() => {
  folder = new SiteFolder();
  content = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
  full = folder.write('big.bin', content);
});

afterEach(() => folder.remove());

function open(range?: string): BodySource {
  const handler = createStatic(createSettings(folder.root), createDeps());
  const fields = range === undefined ? [] : ['Range', range];
  const { body } = answerReply(handler, createExchange('/big.bin', fields));
  if (body?.kind !== 'stream') throw new Error('not streamed');
  return body.source;
}

function readChunk(source: BodySource): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    source.read((error, chunk) => (error === null ? resolve(chunk) : reject(error)));
  });
}

/** The second chunk, which a quick reader gets in memory that is used again. */
async function readTwo(source: BodySource): Promise<Uint8Array> {
  await readChunk(source);
  return (await readChunk(source)) as Uint8Array;
}

describe('a large file', () => {
  it('is streamed whole in modest chunks, each its own memory', async () => {
    const source = open();
    expect(source.length).toBe(size);
    const chunks: Uint8Array[] = [];
    for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source))
      chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(256 * 1024);
    expect(new Set(chunks.map((chunk) => chunk.buffer)).size).toBe(chunks.length);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('reads into memory that was given back, and only into that', async () => {
    const source = open();
    const memory = new Set<ArrayBufferLike>();
    const chunks: Buffer[] = [];
    for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source)) {
      chunks.push(Buffer.from(chunk));
      memory.add(chunk.buffer);
      for (let i = 0; i < 2; i++) source.recycle?.(chunk);
    }
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect(memory.size).toBeLessThan(chunks.length);
    const [one, two] = [open(), open()];
    const [first, second] = [await readTwo(one), await readTwo(two)];
    expect(first.buffer).not.toBe(second.buffer);
    for (const each of [one, two]) each.cancel();
  });

  it('T26: is streamed in part, byte for byte', async () => {
    const handler = createStatic(createSettings(folder.root), createDeps());
    const ranges: [number, number][] = [
      [0, 0],
      [131_071, 131_072],
      [1, 400_000],
      [size - 1, size - 1],
    ];
    for (const [first, last] of ranges) {
      const reply = answerReply(handler, createExchange('/big.bin', ['Range', `bytes=${first}-${last}`]));
      expect([reply.status, getReplyLength(reply.body)]).toEqual([206, last - first + 1]);
      expect((await readBody(reply)).equals(content.subarray(first, last + 1))).toBe(true);
    }
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it('is let go when the reader cancels before, between and during reads', async () => {
    const [before, between, during] = [open(), open(), open()];
    before.cancel();
    await readChunk(between);
    between.cancel();
    between.cancel();
    let called = false;
    during.read(() => {
      called = true;
    });
    during.cancel();
    expect(await waitForClosedFiles(folder.base)).toBe(0);
    expect(called).toBe(false);
  });

  it('does not close the descriptor of somebody else after its end', async () => {
    const source = open('bytes=0-9');
    await readChunk(source);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
    const other = open();
    expect(await readChunk(source)).toBeNull();
    source.cancel();
    expect((await readChunk(other))?.length).toBe(128 * 1024);
    other.cancel();
    expect(await waitForClosedFiles(folder.base)).toBe(0);
  });

  it.each([
    ['truncated', 'the file was truncated', () => truncateSync(full, 200_000)],
    ['overwritten in place', 'the file was overwritten', () => writeFileSync(full, Buffer.alloc(size))],
  ])('fails when it is %s while it is sent', async (_name, problem, change) => {
    const source = open();
    await readChunk(source);
    change();
    const error = await readChunk(source).then(
      () => null,
      (reason: HttpError) => reason,
    );
    expect([error?.code, error?.detail]).toEqual(['TSS_FILE_READ', expect.stringContaining(problem)]);
    expect(await waitForClosedFiles(folder.base)).toBe(0);
    await expect(readChunk(source)).rejects.toThrow('after an error');
  });

  it('never sends more than it announced when the file grows', async () => {
    const source = open();
    appendFileSync(full, 'appended');
    let bytes = 0;
    for (let chunk = await readChunk(source); chunk !== null; chunk = await readChunk(source))
      bytes += chunk.length;
    expect(bytes).toBe(size);
  });

  it('opens one descriptor per answer and none for HEAD', async () => {
    const handler = createStatic(createSettings(folder.root), createDeps());
    const reply = answerReply(handler, createExchange('/big.bin', [], 'HEAD'));
    expect(getReplyLength(reply.body)).toBe(size);
    expect(countOpenFiles(folder.base)).toBe(0);
    await expect(readBody(reply)).rejects.toThrow('HEAD');
    const source = open();
    expect(countOpenFiles(folder.base)).toBe(1);
    source.cancel();
  });
});
