import { describe, expect, it } from 'vitest';
import { HttpError } from '../../src/message/http-error.ts';
import { Reply } from '../../src/message/reply.ts';
import type { ClientResponse } from '../../src/message/upstream-connection.ts';
import type { MuxStream } from '../../src/mux/mux-stream.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ChunkSource, startMux } from './mux-bed.ts';

/** Mulberry32: the same numbers in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const largest = 700_000;
const alphabet = Buffer.alloc(largest + 256).map((_, i) => (i * 31 + (i >> 8)) & 0xff);

/** What the body of a request is: nobody else's looks like it. */
const contentOf = (number: number, size: number) => alphabet.subarray(number % 256, (number % 256) + size);

function createReply(number: number, random: (below: number) => number): Reply {
  const content = contentOf(number, [0, 1, 5000, 65_536, 65_537, largest][random(6)]);
  const fields = ['X-Number', String(number), 'X-Size', String(content.length)];
  if (random(3) === 0) return new Reply(200, fields, { kind: 'bytes', bytes: content });
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const end = Math.min(content.length, at + 1 + random([200_000, 20_000, 300_000][random(3)]));
    pieces.push(content.subarray(at, end));
    at = end;
  }
  const error = random(8) === 0 ? new Error('broken') : null;
  const length = error === null && random(2) === 0 ? content.length : null;
  return new Reply(200, fields, { kind: 'stream', source: new ChunkSource(pieces, length, error) });
}

/** One client with a mood: it reads all, slowly or not, or leaves at a moment of its own. */
class Client {
  readonly number: number;
  readonly stream: MuxStream;
  readonly #random: (below: number) => number;
  readonly #leavesAt: number;
  #bytes: Buffer[] = [];
  #received = 0;
  state: 'waiting' | 'reading' | 'ended' | 'failed' | 'left' = 'waiting';
  isBodyOver = false;
  readonly problems: string[] = [];

  constructor(number: number, stream: MuxStream, random: (below: number) => number) {
    this.number = number;
    this.stream = stream;
    this.#random = random;
    this.#leavesAt = random(3) === 0 ? random(largest) : Number.POSITIVE_INFINITY;
  }

  onResponse(response: ClientResponse): void {
    if (this.state !== 'waiting') this.problems.push(`a head while ${this.state}`);
    this.state = 'reading';
    const { fields, body } = response;
    if (fields[1] !== String(this.number)) this.problems.push(`the answer to ${fields[1]}`);
    const size = Number(fields[3]);
    if (body === null) this.#finish(size, null);
    else if (body.kind === 'bytes') {
      this.#bytes.push(Buffer.from(body.bytes));
      this.#finish(size, null);
    } else if (body.kind === 'stream') {
      const { source } = body;
      const read = (): void =>
        source.read((error, chunk) => {
          if (this.isBodyOver) this.problems.push('a chunk behind the end');
          if (chunk === null) {
            this.#finish(size, error);
            return;
          }
          this.#bytes.push(Buffer.from(chunk));
          this.#received += chunk.length;
          source.recycle?.(chunk);
          if (this.#received > this.#leavesAt) {
            this.isBodyOver = true;
            source.cancel();
          } else if (this.#random(3) === 0) setTimeout(read, this.#random(5));
          else read();
        });
      if (this.#random(2) === 0) read();
      else setImmediate(read);
    }
  }

  onFailure(error: Error): void {
    if (this.state !== 'waiting') this.problems.push(`a failure while ${this.state}`);
    if (!(error instanceof HttpError)) this.problems.push(String(error));
    this.state = 'failed';
    this.isBodyOver = true;
  }

  onEnd(): void {
    if (this.state !== 'reading') this.problems.push(`an end while ${this.state}`);
    this.state = 'ended';
  }

  /** Gives up, unless the connection is through with it: the stream is somebody else's then. */
  leave(): void {
    if (this.state !== 'waiting' && this.state !== 'reading') return;
    // Whoever reads a body sees it end.
    if (this.state === 'waiting') this.isBodyOver = true;
    this.state = 'left';
    this.stream.abort();
  }

  #finish(size: number, error: Error | null): void {
    this.isBodyOver = true;
    const expected = contentOf(this.number, size);
    const all = Buffer.concat(this.#bytes);
    const isWhole = all.equals(expected);
    if (error === null ? !isWhole : !all.equals(expected.subarray(0, all.length))) {
      this.problems.push(`${all.length} bytes of ${size} that are not its own, ${String(error)}`);
    }
    this.#bytes = [];
  }
}

describe('many requests at once, of clients that read, wait, break off and come again', () => {
  it.each([1, 2, 3])(
    'get what is theirs, once: run %d',
    async (seed) => {
      const random = createRandom(seed);
      const bed = await startMux(async ({ target }) => {
        for (let turn = random(4); turn > 0; turn--) await new Promise(setImmediate);
        return createReply(Number(target.slice(1)), random);
      });
      const clients: Client[] = [];
      const running = new Set<Client>();
      while (clients.length < 600) {
        for (const client of running) {
          if (random(40) === 0) client.leave();
          if (client.isBodyOver && client.state !== 'reading') running.delete(client);
        }
        if (running.size < 60) {
          const client = new Client(clients.length, bed.link.takeStream(), random);
          clients.push(client);
          running.add(client);
          const head = `GET /${client.number} HTTP/1.1\r\nHost: a\r\n`;
          const readTimeoutMs = random(20) === 0 ? 10 : 0;
          client.stream.send({ method: 'GET', head, body: null, sendTimeoutMs: 0, readTimeoutMs }, client);
        }
        if (running.size >= 60 || random(4) === 0) await new Promise(setImmediate);
      }
      const isOver = ({ isBodyOver, state }: Client) => isBodyOver && state !== 'reading';
      await waitUntil('all are over', () => clients.every(isOver), 20_000);
      expect(clients.flatMap(({ number, problems }) => problems.map((each) => `${number}: ${each}`))).toEqual(
        [],
      );
      for (const state of ['ended', 'left']) expect(clients.some((each) => each.state === state)).toBe(true);
      await waitUntil('the instance is done', () => bed.finished.length === clients.length, 5000);
      // Nothing is under way any more, or it would stay open.
      expect(bed.closed).toBeNull();
      bed.link.close();
      expect(bed.closed).toEqual({ refused: false });
    },
    30_000,
  );
});
