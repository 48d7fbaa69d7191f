import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { ReplyWriter } from '../../src/http1/reply-writer.ts';
import type { BodySource, OnChunk } from '../../src/message/body.ts';
import { Reply } from '../../src/message/reply.ts';
import { waitUntil } from '../support/wait-until.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** Spoils the memory of every chunk that it gets back. */
class SpoilingSource implements BodySource {
  readonly length: number | null;
  readonly content: Buffer;
  spoilt = 0;
  given = 0;
  readonly #sizes: number[];

  constructor(sizes: number[], hasLength: boolean) {
    this.#sizes = [...sizes];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    this.content = Buffer.alloc(total);
    for (let i = 0; i < total - 4; i += 4) this.content.writeUInt32LE((i * 7) & 0x7fff_ffff, i);
    this.length = hasLength ? total : null;
  }

  read(onChunk: OnChunk): void {
    const size = this.#sizes.shift();
    if (size === undefined) {
      onChunk(null, null);
      return;
    }
    this.given += size;
    onChunk(null, Buffer.from(this.content.subarray(this.given - size, this.given)));
  }

  recycle(chunk: Uint8Array): void {
    this.spoilt++;
    chunk.fill(0xff);
  }

  cancel(): void {}
}

/** Writes one reply to a client that reads nothing until the writer has stopped pulling. */
async function exchangeBody(source: SpoilingSource): Promise<Buffer> {
  const timers = new TimerWheel(10);
  const server = createServer((socket: Socket) => {
    const owner = { onReplySent: () => {}, onReplyFailed: () => socket.destroy() };
    const writer = new ReplyWriter(
      socket,
      timers.createDeadline(() => socket.destroy()),
      60_000,
      owner,
    );
    socket
      .on('error', () => {})
      .once('data', () => {
        writer.write(new Reply(200, [], { kind: 'stream', source }), 'GET', '1.1', true);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject);
    cleanUps.push(() => request.destroy());
  });
  cleanUps.push(() => {
    server.close();
    timers.close();
  });
  let given = -1;
  const hasStopped = () => {
    const before = given;
    given = source.given;
    return given === before;
  };
  await waitUntil('nothing more is pulled', hasStopped);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('chunks that a source may have back', () => {
  const mixed = Array.from({ length: 60 }, () => [300_000, 3, 20_000, 100, 130_000, 17_000]).flat();
  const small = Array.from({ length: 2_500 }, () => [8_000, 3, 2_000]).flat();

  it.each([
    ['of all sizes, with a length', mixed, true],
    ['of all sizes, chunked', mixed, false],
    ['small, with a length', small, true],
    ['small, chunked', small, false],
  ])('are given back only when the kernel has all of their bytes: %s', async (_name, sizes, hasLength) => {
    const source = new SpoilingSource(sizes, hasLength);
    expect((await exchangeBody(source)).equals(source.content)).toBe(true);
    expect(source.spoilt).toBeGreaterThan(20);
  });
});
