import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BodySource } from '../../../src/message/body.ts';
import { getField, hasField } from '../../../src/message/fields.ts';
import { Reply } from '../../../src/message/reply.ts';
import { CompressionWork } from '../../../src/middleware/compression/compression-work.ts';
import { WorkLane } from '../../../src/middleware/compression/work-lane.ts';
import { waitUntil } from '../../support/wait-until.ts';
import {
  CompressionFixture,
  createBytesReply,
  createExchange,
  createStreamReply,
  createText,
  decode,
  encodings,
  FedSource,
  readBody,
  readChunk,
  readPlainBody,
} from './fixture.ts';

function sourceOf(reply: Reply): BodySource {
  if (reply.body?.kind !== 'stream') throw new Error('no stream');
  return reply.body.source;
}

/** Reads until what came so far, decoded, is `text`. */
async function readUntil(
  source: BodySource,
  text: string,
  encoding: string,
  before: Uint8Array[],
): Promise<void> {
  while (before.length === 0 || decode(Buffer.concat(before), encoding, true).toString() !== text) {
    const chunk = await readChunk(source);
    if (chunk === null) throw new Error('ended');
    before.push(chunk);
  }
}

describe.each(encodings)('a body that is sent while it is compressed in %s', (encoding) => {
  const accept = (method = 'GET') => createExchange({ 'Accept-Encoding': encoding }, method);

  it('has neither a length nor ranges, and a tag of its own', async () => {
    const source = new FedSource(5_000);
    const fields = ['ETag', '"v1"', 'Accept-Ranges', 'bytes', 'Vary', 'Cookie'];
    const reply = await new CompressionFixture().askReply(accept(), createStreamReply(source, fields));
    expect(sourceOf(reply).length).toBeNull();
    expect(getField(reply.fields, 'content-encoding')).toBe(encoding);
    expect(getField(reply.fields, 'vary')).toBe('Cookie, Accept-Encoding');
    expect(getField(reply.fields, 'etag')).toBe(`W/"v1-${encoding}"`);
    expect(hasField(reply.fields, 'accept-ranges')).toBe(false);
    sourceOf(reply).cancel();
  });

  it('has the same header for HEAD, and nothing to read', async () => {
    const ask = (method: string, source: FedSource) =>
      new CompressionFixture().askReply(accept(method), createStreamReply(source, ['ETag', '"v1"']));
    const source = new FedSource(5_000);
    const head = await ask('HEAD', source);
    const got = await ask('GET', new FedSource(5_000));
    expect(head.fields).toEqual(got.fields);
    expect(source.isCancelled).toBe(true);
    expect(await readChunk(sourceOf(head))).toBeNull();
    sourceOf(got).cancel();
  });

  it.each(['text/event-stream', 'text/html'])('is let out whenever its source pauses: %s', async (type) => {
    const source = new FedSource();
    const fixture = new CompressionFixture({ types: ['*'] });
    const encoded = sourceOf(await fixture.askReply(accept(), createStreamReply(source, [], type)));
    const chunks: Uint8Array[] = [];
    let sent = '';
    for (const event of ['data: 1\n\n', 'data: 2\n\n', ': ping\n\n']) {
      sent += event;
      source.push(event);
      await readUntil(encoded, sent, encoding, chunks);
    }
    source.push(null);
    for (let chunk = await readChunk(encoded); chunk !== null; chunk = await readChunk(encoded))
      chunks.push(chunk);
    expect(decode(Buffer.concat(chunks), encoding).toString()).toBe(sent);
  });

  it('is what it was, however it comes in pieces', async () => {
    const fixture = new CompressionFixture({ types: ['*'] });
    const piece = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(1, 1, 7, 900), fc.boolean());
    const property = fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom('text/html', 'text/event-stream'),
      async (pieces, type) => {
        const source = new FedSource();
        const chunks = pieces.map(([bytes, times]) =>
          Buffer.concat(Array.from({ length: times }, () => bytes)),
        );
        const feed = async () => {
          for (const [i, [, , pauses]] of pieces.entries()) {
            source.push(Buffer.from(chunks[i]));
            if (pauses) await new Promise(setImmediate);
          }
          source.push(null);
        };
        const reply = await fixture.askReply(accept(), createStreamReply(source, [], type));
        const [body] = await Promise.all([readPlainBody(reply), feed()]);
        expect(body.equals(Buffer.concat(chunks))).toBe(true);
        expect(source.recycled).toBe(chunks.length);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('breaks off where its source does', async () => {
    const source = new FedSource();
    const reply = await new CompressionFixture().askReply(accept(), createStreamReply(source));
    source.push(createText(200_000), new Error('the upstream is gone'));
    await expect(readBody(reply)).rejects.toThrow('the upstream is gone');
    expect(source.isCancelled).toBe(true);
    await expect(readChunk(sourceOf(reply))).rejects.toThrow('the upstream is gone');
  });

  it('asks its source for nothing before it is asked', async () => {
    const source = new FedSource();
    source.push(createText(100_000), createText(100_000), null);
    const encoded = sourceOf(await new CompressionFixture().askReply(accept(), createStreamReply(source)));
    await new Promise(setImmediate);
    expect(source.reads).toBe(0);
    await readChunk(encoded);
    const reads = source.reads;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(source.reads).toBe(reads);
    encoded.cancel();
    expect(source.isCancelled).toBe(true);
  });
});

describe('bodies that are sent while they are compressed', () => {
  const gzip = (fields: Record<string, string> = {}) =>
    createExchange({ 'Accept-Encoding': 'gzip', ...fields });

  it('are let go when the client leaves, at whatever moment', async () => {
    const fixture = new CompressionFixture();
    const [work] = fixture.pool.values<CompressionWork>('compression-work');
    expect(work).toBeInstanceOf(CompressionWork);
    for (let moment = 0; moment < 12; moment++) {
      const source = new FedSource();
      source.push(createText(150_000), createText(100));
      const encoded = sourceOf(await fixture.askReply(gzip(), createStreamReply(source)));
      expect(work.encoders).toBe(1);
      let called = false;
      encoded.read(() => {
        called = true;
      });
      for (let i = 0; i < moment; i++) await new Promise(setImmediate);
      const calledBefore = called;
      encoded.cancel();
      encoded.cancel();
      expect(source.isCancelled).toBe(true);
      expect(work.encoders).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(called).toBe(calledBefore);
    }
    const after = await fixture.askReply(gzip(), createBytesReply(createText(50_000)));
    expect(getField(after.fields, 'content-encoding')).toBe('gzip');
  });

  it('are so many at most; the others are sent as they are', async () => {
    const fixture = new CompressionFixture();
    const ask = () => fixture.askReply(gzip(), createStreamReply(new FedSource()));
    const replies: Reply[] = [];
    for (let i = 0; i < 300; i++) replies.push(await ask());
    const isEncoded = (reply: Reply) => hasField(reply.fields, 'content-encoding');
    expect(replies.filter(isEncoded)).toHaveLength(256);
    expect(getField(replies[299].fields, 'vary')).toBe('Accept-Encoding');
    expect(isEncoded(await ask())).toBe(false);
    for (const reply of replies) sourceOf(reply).cancel();
    const next = await ask();
    expect(isEncoded(next)).toBe(true);
    sourceOf(next).cancel();
  });

  it('run on a bounded number of threads, each at its turn', async () => {
    const fixture = new CompressionFixture();
    const texts = Array.from({ length: 40 }, (_, i) => createText(30_000, i + 1));
    const bodies = texts.map(async (text) => {
      const source = new FedSource();
      source.push(text.slice(0, 9_000), text.slice(9_000), null);
      return (await readPlainBody(await fixture.askReply(gzip(), createStreamReply(source)))).toString();
    });
    expect(await Promise.all(bodies)).toEqual(texts);
  });

  it('may be as long as memory is not', async () => {
    const chunk = Buffer.from(createText(256 * 1024));
    let left = 64;
    const endless: BodySource = {
      length: null,
      read: (onChunk) => onChunk(null, left-- > 0 ? chunk : null),
      cancel: () => {},
    };
    const encoded = sourceOf(await new CompressionFixture().askReply(gzip(), createStreamReply(endless)));
    let most = 0;
    for (let piece = await readChunk(encoded); piece !== null; piece = await readChunk(encoded))
      most = Math.max(most, piece.length);
    expect(left).toBe(-1);
    expect(most).toBeLessThan(256 * 1024);
  });

  it('are read on while they are empty', async () => {
    const source = new FedSource();
    source.push('', '', 'a', '', null);
    const reply = await new CompressionFixture().askReply(gzip(), createStreamReply(source));
    expect((await readPlainBody(reply)).toString()).toBe('a');
  });

  it('are left as they are for who must not have them compressed', async () => {
    const fixture = new CompressionFixture();
    const ask = async (fields: Record<string, string>) => {
      const reply = await fixture.askReply(createExchange(fields), createStreamReply(new FedSource()));
      expect(getField(reply.fields, 'vary')).toBe('Accept-Encoding');
      sourceOf(reply).cancel();
      return getField(reply.fields, 'content-encoding');
    };
    expect(await ask({})).toBeUndefined();
    expect(
      await ask({ 'Accept-Encoding': 'gzip', 'Cache-Control': 'no-cache, no-transform' }),
    ).toBeUndefined();
    const crossSite = { 'Accept-Encoding': 'gzip', 'Sec-Fetch-Site': 'cross-site' };
    expect(await ask({ ...crossSite, Cookie: 'sid=1' })).toBeUndefined();
    expect(await ask({ ...crossSite, Authorization: 'Basic eDp5' })).toBeUndefined();
    expect(await ask(crossSite)).toBe('gzip');
    expect(await ask({ 'Accept-Encoding': 'gzip', 'Sec-Fetch-Site': 'same-origin', Cookie: 'a=b' })).toBe(
      'gzip',
    );
  });
});

describe('a body of its own', () => {
  const gzip = (method = 'GET') => createExchange({ 'Accept-Encoding': 'gzip' }, method);

  it.each([1_024, 8_192, 8_193, 200_000])(
    'of %i bytes is compressed with its length known',
    async (length) => {
      const text = createText(length);
      const reply = await new CompressionFixture().askReply(gzip(), createBytesReply(text, ['ETag', '"a"']));
      expect(reply.body?.kind).toBe('bytes');
      expect(getField(reply.fields, 'etag')).toBe('W/"a-gzip"');
      expect((await readPlainBody(reply)).toString()).toBe(text);
    },
  );

  it('is announced to HEAD without being made', async () => {
    const reply = await new CompressionFixture().askReply(gzip('HEAD'), createBytesReply(createText(9_000)));
    expect(sourceOf(reply).length).toBeNull();
    expect(getField(reply.fields, 'content-encoding')).toBe('gzip');
  });

  it('may come later', async () => {
    const reply = createBytesReply(createText(3_000));
    const fixture = new CompressionFixture();
    const later = await fixture.askReply(
      gzip(),
      () => new Promise((resolve) => setImmediate(() => resolve(reply))),
    );
    expect(getField(later.fields, 'content-encoding')).toBe('gzip');
  });

  it.each([204, 205, 206, 304])('is never made for a %i', async (status) => {
    const body = { kind: 'bytes' as const, bytes: Buffer.from(createText(5_000)) };
    const reply = new Reply(status, ['Content-Type', 'text/html'], body);
    const answer = await new CompressionFixture().askReply(gzip(), reply);
    expect(answer.body).toBe(body);
    expect(hasField(answer.fields, 'content-encoding')).toBe(false);
    expect(hasField(answer.fields, 'vary')).toBe(status === 206 || status === 304);
  });
});

describe('a lane of work', () => {
  it('runs so much at a time, in order, and forgets what waits when it is closed', () => {
    const lane = new WorkLane(2, 1);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const run = (i: number) =>
      lane.run((done) => {
        begun.push(i);
        ends.push(done);
      });
    for (const i of [1, 2, 3, 4, 5]) run(i);
    expect(begun).toEqual([1, 2]);
    expect(lane.isFull).toBe(true);
    ends[1]();
    ends[1]();
    expect(begun).toEqual([1, 2, 3]);
    lane.close();
    expect(lane.isFull).toBe(false);
    ends[0]();
    ends[2]();
    run(6);
    expect(begun).toEqual([1, 2, 3, 6]);
  });
});

describe('threads', () => {
  it('are given back by every way a body can end', async () => {
    const fixture = new CompressionFixture();
    const [work] = fixture.pool.values<CompressionWork>('compression-work');
    const accept = createExchange({ 'Accept-Encoding': 'gzip' });
    for (let i = 0; i < 20; i++) {
      const source = new FedSource();
      source.push(createText(70_000), i % 2 === 0 ? null : new Error('gone'));
      const encoded = sourceOf(await fixture.askReply(accept, createStreamReply(source)));
      if (i % 3 === 0) {
        encoded.read(() => {});
        encoded.cancel();
      } else await readBody({ body: { kind: 'stream', source: encoded } } as Reply).catch(() => {});
    }
    expect(work.encoders).toBe(0);
    let ran = 0;
    for (let i = 0; i < 2; i++) work.quick.run(() => ran++);
    await waitUntil('both threads are free again', () => ran === 2);
  });
});
