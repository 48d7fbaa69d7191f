import { describe, expect, it } from 'vitest';
import { evaluatePreconditions } from '../../../src/message/conditional.ts';
import type { Exchange } from '../../../src/message/exchange.ts';
import { getField, joinField } from '../../../src/message/fields.ts';
import { Reply } from '../../../src/message/reply.ts';
import { CompressionFixture, createBytesReply, createExchange, createText } from './fixture.ts';

const whole = createBytesReply(createText(5_000), ['ETag', '"v1"'], true);
const unchanged = new Reply(304, ['ETag', '"v1"'], null, true);

/** Answers as a file handler does, with shared replies. */
const answerFile = ({ fields }: Exchange): Reply =>
  evaluatePreconditions(fields, { entityTag: '"v1"', lastModified: null }) === 'not-modified'
    ? unchanged
    : whole;

/** Answers as a proxy does: later, with replies of its own. */
const answerLater = async (exchange: Exchange): Promise<Reply> => {
  await new Promise(setImmediate);
  const { status, fields, body } = answerFile(exchange);
  return new Reply(status, [...fields], body);
};

describe.each([
  ['at once', answerFile],
  ['later', answerLater],
])('a handler that answers %s', (_, answer) => {
  const ask = async (ifNoneMatch: string, acceptEncoding: string) => {
    const fields = { 'Accept-Encoding': acceptEncoding, 'If-None-Match': ifNoneMatch };
    const exchange = createExchange(fields);
    const reply = await new CompressionFixture().askReply(exchange, answer);
    expect(joinField(exchange.fields, 'if-none-match')).toBe(ifNoneMatch);
    expect(getField(reply.fields, 'vary')).toBe('Accept-Encoding');
    return [reply.status, getField(reply.fields, 'etag')];
  };

  it.each<[ifNoneMatch: string, acceptEncoding: string, status: number, tag: string]>([
    ['W/"v1-gzip"', 'gzip', 304, 'W/"v1-gzip"'],
    ['W/"v1-br"', 'gzip, br', 304, 'W/"v1-br"'],
    ['"other", W/"v0-gzip", W/"v1-gzip"', 'gzip', 304, 'W/"v1-gzip"'],
    ['"v1"', 'gzip', 304, '"v1"'],
    ['"v1"', '', 304, '"v1"'],
    ['*', 'gzip', 304, '"v1"'],
    ['W/"v1-gzip"', 'br', 200, 'W/"v1-br"'],
    ['W/"v1-br"', 'gzip', 200, 'W/"v1-gzip"'],
    ['W/"v1-gzip"', '', 200, '"v1"'],
    ['W/"v1-gzip"', 'identity', 200, '"v1"'],
    ['W/"v2-gzip"', 'gzip', 200, 'W/"v1-gzip"'],
    ['W/"v1-gzip-gzip"', 'gzip', 200, 'W/"v1-gzip"'],
    ['"v1-gzip"', 'gzip', 200, 'W/"v1-gzip"'],
    ['W/"-gzip"', 'gzip', 200, 'W/"v1-gzip"'],
    ['W/"v1-gzip', 'gzip', 200, 'W/"v1-gzip"'],
  ])(
    'answers If-None-Match: %s with Accept-Encoding: %s by %i %s (T27)',
    async (match, accept, status, tag) => {
      expect(await ask(match, accept)).toEqual([status, tag]);
    },
  );
});

describe('conditional requests', () => {
  it('get one shared 304 for each coding', async () => {
    const fixture = new CompressionFixture();
    const ask = (encoding: string) =>
      fixture.ask(
        createExchange({ 'Accept-Encoding': encoding, 'If-None-Match': `W/"v1-${encoding}"` }),
        answerFile,
      );
    const gzip = await ask('gzip');
    expect(await ask('gzip')).toBe(gzip);
    expect(await ask('br')).not.toBe(gzip);
    expect(unchanged.fields).toEqual(['ETag', '"v1"']);
  });

  it('have their field back when the handler fails', async () => {
    const fields = { 'Accept-Encoding': 'gzip', 'If-None-Match': 'W/"v1-gzip"' };
    for (const fail of [
      () => {
        throw new Error('at once');
      },
      () => Promise.reject(new Error('later')),
    ]) {
      const exchange = createExchange(fields);
      await expect(new CompressionFixture().ask(exchange, fail)).rejects.toThrow();
      expect(exchange.fields).toEqual(['Accept-Encoding', 'gzip', 'If-None-Match', 'W/"v1-gzip"']);
    }
  });

  it('are left alone when the field is there twice', async () => {
    const exchange = createExchange({ 'Accept-Encoding': 'gzip', 'If-None-Match': 'W/"v1-gzip"' });
    exchange.fields.push('If-None-Match', 'W/"v2-gzip"');
    const reply = await new CompressionFixture().askReply(exchange, answerFile);
    expect(reply.status).toBe(200);
  });

  it.each([
    ['W/"a"', 'W/"a-gzip"'],
    ['"a"', 'W/"a-gzip"'],
    ['""', 'W/"-gzip"'],
    ['a', undefined],
    ['"a', undefined],
    ['"a"b"', undefined],
  ])('find the tag %s of the plain body as %s', async (tag, encoded) => {
    const reply = createBytesReply(createText(2_000), ['ETag', tag]);
    const answer = await new CompressionFixture().askReply(
      createExchange({ 'Accept-Encoding': 'gzip' }),
      reply,
    );
    expect(getField(answer.fields, 'etag')).toBe(encoded);
  });

  it.each([
    ['Accept-Encoding', 'Accept-Encoding'],
    ['accept-encoding, Cookie', 'accept-encoding, Cookie'],
    ['*', '*'],
    ['Origin', 'Origin, Accept-Encoding'],
    ['X-Accept-Encoding', 'X-Accept-Encoding, Accept-Encoding'],
  ])('join Vary: %s to %s', async (vary, joined) => {
    const reply = createBytesReply(createText(2_000), ['Vary', vary]);
    const answer = await new CompressionFixture().askReply(createExchange(), reply);
    expect(joinField(answer.fields, 'vary')).toBe(joined);
  });
});
