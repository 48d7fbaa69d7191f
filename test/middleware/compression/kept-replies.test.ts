import { describe, expect, it } from 'vitest';
import { getField } from '../../../src/message/fields.ts';
import { HttpError } from '../../../src/message/http-error.ts';
import type { Reply } from '../../../src/message/reply.ts';
import { CompressionWork } from '../../../src/middleware/compression/compression-work.ts';
import { KeptBodies, toKey } from '../../../src/middleware/compression/kept-bodies.ts';
import { mergeCompression } from '../../../src/middleware/compression/merge-compression.ts';
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
  readPlainBody,
} from './fixture.ts';

const text = createText(60_000);
const bytesOf = (reply: Reply) => (reply.body?.kind === 'bytes' ? reply.body.bytes : null);

describe.each(encodings)('a shared reply in %s', (encoding) => {
  const accept = () => createExchange({ 'Accept-Encoding': encoding });

  it('is encoded once and stays one shared reply', async () => {
    const fixture = new CompressionFixture();
    const original = createBytesReply(text, ['ETag', '"v1"', 'Accept-Ranges', 'bytes'], true);
    const replies = await Promise.all([1, 2, 3].map(() => fixture.askReply(accept(), original)));
    expect(new Set(replies).size).toBe(1);
    const [reply] = replies;
    expect(reply.shared).toBe(true);
    expect(reply.fields).toEqual([
      'Content-Type',
      'text/javascript',
      'Vary',
      'Accept-Encoding',
      'Content-Encoding',
      encoding,
      'ETag',
      `W/"v1-${encoding}"`,
    ]);
    expect((await readPlainBody(reply)).toString()).toBe(text);
    expect(fixture.compression.wrap(() => original)(accept())).not.toBeInstanceOf(Promise);
    expect(original.fields).toHaveLength(6);
  });

  it('becomes smaller in the background after its second use, and then stays', async () => {
    const fixture = new CompressionFixture({ levels: { gzip: 1, br: 0, zstd: 1 }, keptLevels: { br: 9 } });
    const original = createBytesReply(text, [], true);
    const ask = () => fixture.askReply(accept(), original);
    const first = bytesOf(await ask());
    expect(bytesOf(await ask())).toBe(first);
    await waitUntil('the better one is there', async () => bytesOf(await ask()) !== first);
    const better = await ask();
    expect(bytesOf(better)?.length).toBeLessThan(first?.length ?? 0);
    expect((await readPlainBody(better)).toString()).toBe(text);
    expect(await ask()).toBe(better);
  });

  it('is the same to HEAD', async () => {
    const fixture = new CompressionFixture();
    const original = createBytesReply(text, [], true);
    const head = await fixture.askReply(createExchange({ 'Accept-Encoding': encoding }, 'HEAD'), original);
    expect(head).toBe(await fixture.askReply(accept(), original));
  });

  it('is not encoded again for another Site with the same settings', async () => {
    const fixture = new CompressionFixture();
    const original = createBytesReply(text, [], true);
    const first = await fixture.askReply(accept(), original);
    const next = new CompressionFixture(true, false, fixture.pool);
    fixture.compression.close();
    expect(bytesOf(await next.askReply(accept(), original))).toBe(bytesOf(first));
    next.compression.close();
    expect(fixture.pool.size).toBe(0);
  });
});

describe('shared replies', () => {
  const gzip = () => createExchange({ 'Accept-Encoding': 'gzip' });

  it('tell those who want no coding that there are some', async () => {
    const fixture = new CompressionFixture();
    const original = createBytesReply(text, ['ETag', '"v1"', 'Vary', 'Origin'], true);
    const plain = await fixture.askReply(createExchange(), original);
    expect(plain.shared).toBe(true);
    expect(plain.body).toBe(original.body);
    expect(getField(plain.fields, 'vary')).toBe('Origin, Accept-Encoding');
    expect(getField(plain.fields, 'etag')).toBe('"v1"');
    expect(await fixture.askReply(createExchange(), original)).toBe(plain);
  });

  it.each<[why: string, fields: string[], body: string]>([
    ['short', [], 'x'.repeat(1_023)],
    ['of another type', ['Content-Type', 'image/png'], text],
    ['encoded already', ['Content-Encoding', 'br'], text],
    ['not to be transformed', ['Cache-Control', 'public, No-Transform'], text],
    ['vouched for', ['Content-Digest', 'sha-256=:AA==:'], text],
  ])('are left as they are when %s', async (_, fields, body) => {
    const fixture = new CompressionFixture();
    const original = createBytesReply(body, fields, true);
    expect(await fixture.askReply(gzip(), original)).toBe(original);
  });

  it('are sent plain when they do not shrink', async () => {
    const fixture = new CompressionFixture();
    const noise = Buffer.from(
      Array.from({ length: 4_096 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 11) & 255),
    );
    const original = createBytesReply(noise, [], true);
    for (let i = 0; i < 3; i++) {
      const reply = await fixture.askReply(gzip(), original);
      const body = await readPlainBody(reply);
      expect(body.equals(noise)).toBe(true);
      expect(bytesOf(reply)?.length).toBeLessThanOrEqual(noise.length);
    }
  });

  it('share an encoded body where fields make them different replies to one file', async () => {
    const fixture = new CompressionFixture(true, true);
    const bytes = Buffer.from(text);
    const ask = async (id: string) => fixture.askReply(gzip(), createBytesReply(bytes, ['X-Id', id]));
    await ask('1');
    const [second, third] = [await ask('2'), await ask('3')];
    expect(bytesOf(third)).toBe(bytesOf(second));
    expect(getField(third.fields, 'x-id')).toBe('3');
    expect((await readPlainBody(third)).toString()).toBe(text);
  });

  it('leave internal redirects and errors to pass', async () => {
    const fixture = new CompressionFixture();
    const redirect = { redirectTo: '/b' };
    expect(await fixture.ask(gzip(), redirect)).toBe(redirect);
    const error = new HttpError('TSS_NOT_FOUND', 'no');
    expect(await fixture.ask(gzip(), error)).toBe(error);
    await expect(fixture.ask(gzip(), () => Promise.reject(error))).rejects.toBe(error);
  });

  it('are bounded in memory, whatever is asked for', async () => {
    const cacheSize = 300_000;
    const fixture = new CompressionFixture({ cacheSize, encodings: ['gzip'] });
    const [lease] = fixture.pool.values<KeptBodies>('compression:');
    expect(lease).toBeInstanceOf(KeptBodies);
    let seen = 0;
    for (let i = 1; i <= 500; i++) {
      const body = createText(4_000, i);
      const reply = await fixture.askReply(gzip(), createBytesReply(body, [], true));
      expect(decode(await readBody(reply), 'gzip').toString()).toBe(body);
      expect(lease.bytes).toBeLessThanOrEqual(cacheSize);
      seen = Math.max(seen, lease.bytes);
    }
    expect(seen).toBeGreaterThan(cacheSize / 2);
  });

  it('are bounded in memory by 10,000 large files', () => {
    const settings = mergeCompression({ cacheSize: 64 * 1024 * 1024 });
    if (settings === null) throw new Error('off');
    const bodies = new KeptBodies(settings, new CompressionWork());
    const encoded = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 10_000; i++) {
      const key = toKey(`file ${i}`, 'gzip');
      expect(bodies.beginCollecting(key)).toBe(true);
      bodies.collect(key, Buffer.from(encoded.buffer), 10 * encoded.length);
      expect(bodies.bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
    }
    expect(bodies.find(toKey('file 9999', 'gzip'), 'gzip', null)?.bytes).toHaveLength(encoded.length);
    expect(bodies.find(toKey('file 1', 'gzip'), 'gzip', null)).toBeUndefined();
  });

  it('are sent plain while there is too much to do', async () => {
    const fixture = new CompressionFixture();
    const texts = Array.from({ length: 400 }, (_, i) => createText(9_000, i + 1));
    const replies = await Promise.all(
      texts.map((body) => fixture.askReply(gzip(), createBytesReply(body, [], true))),
    );
    const bodies = await Promise.all(replies.map(async (reply) => (await readPlainBody(reply)).toString()));
    expect(bodies).toEqual(texts);
    const plain = replies.filter(({ fields }) => getField(fields, 'content-encoding') === undefined);
    expect(plain).toHaveLength(400 - 256 - 2);
  });

  it('are sent plain when zlib fails', async () => {
    const fixture = new CompressionFixture({ levels: { gzip: 99 } });
    const shared = createBytesReply(text, [], true);
    for (let i = 0; i < 2; i++) expect((await fixture.askReply(gzip(), shared)).body).toBe(shared.body);
    for (const body of [text, text.slice(0, 2_000)]) {
      const own = createBytesReply(body);
      expect(await fixture.askReply(gzip(), own)).toBe(own);
    }
    const source = new FedSource(5_000);
    const streamed = createStreamReply(source);
    expect(await fixture.askReply(gzip(), streamed)).toBe(streamed);
    expect(getField(streamed.fields, 'content-encoding')).toBeUndefined();
    expect(source.isCancelled).toBe(false);
  });

  it('are encoded anew each time when nothing may be kept', async () => {
    const fixture = new CompressionFixture({ cacheSize: 0 });
    const original = createBytesReply(text, [], true);
    const first = await fixture.askReply(gzip(), original);
    const second = await fixture.askReply(gzip(), original);
    expect(bytesOf(second)).not.toBe(bytesOf(first));
    expect((await readPlainBody(second)).toString()).toBe(text);
  });
});

describe('a file that is sent in pieces', () => {
  const gzip = (method = 'GET') => createExchange({ 'Accept-Encoding': 'gzip' }, method);
  const createFile = (content = text, tag = '"v1"') => {
    const source = new FedSource(content.length);
    source.push(content.slice(0, 20_000), content.slice(20_000), null);
    return { source, reply: createStreamReply(source, ['ETag', tag]) };
  };

  it('is kept when it has been sent whole, and is smaller after its second use', async () => {
    const fixture = new CompressionFixture({ levels: { gzip: 1 } }, true);
    const first = await fixture.askReply(gzip(), createFile().reply);
    expect(first.body?.kind).toBe('stream');
    expect((await readPlainBody(first)).toString()).toBe(text);
    const { source, reply } = createFile();
    const second = await fixture.askReply(gzip(), reply);
    expect(bytesOf(second)).not.toBeNull();
    expect(source.isCancelled).toBe(true);
    expect(source.reads).toBe(0);
    const ask = async () => bytesOf(await fixture.askReply(gzip('HEAD'), createFile().reply));
    await waitUntil('the better one is there', async () => (await ask()) !== bytesOf(second));
    expect(decode((await ask()) ?? Buffer.alloc(0), 'gzip').toString()).toBe(text);
  });

  it('is another one with another tag', async () => {
    const fixture = new CompressionFixture(true, true);
    await readBody(await fixture.askReply(gzip(), createFile().reply));
    const other = createText(60_000, 7);
    const reply = await fixture.askReply(gzip(), createFile(other, '"v2"').reply);
    expect((await readPlainBody(reply)).toString()).toBe(other);
  });

  it.each<[what: string, answersFiles: boolean, tag: string]>([
    ['the tag is weak', true, 'W/"v1"'],
    ['the tag is not a file handler’s', false, '"v1"'],
  ])('is not kept when %s', async (_, answersFiles, tag) => {
    const fixture = new CompressionFixture(true, answersFiles);
    await readBody(await fixture.askReply(gzip(), createFile(text, tag).reply));
    const second = await fixture.askReply(gzip(), createFile(text, tag).reply);
    expect(second.body?.kind).toBe('stream');
    expect((await readPlainBody(second)).toString()).toBe(text);
  });

  it('is not kept when its client left or it broke off', async () => {
    const fixture = new CompressionFixture(true, true);
    const left = await fixture.askReply(gzip(), createFile().reply);
    if (left.body?.kind === 'stream') left.body.source.cancel();
    const broken = new FedSource(text.length);
    broken.push(text.slice(0, 100), new Error('truncated'));
    await expect(
      readBody(await fixture.askReply(gzip(), createStreamReply(broken, ['ETag', '"v1"']))),
    ).rejects.toThrow('truncated');
    const third = await fixture.askReply(gzip(), createFile().reply);
    expect(third.body?.kind).toBe('stream');
    expect((await readPlainBody(third)).toString()).toBe(text);
  });
});
