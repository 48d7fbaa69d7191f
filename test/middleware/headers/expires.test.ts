import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { getField } from '../../../src/message/fields.ts';
import { Reply } from '../../../src/message/reply.ts';
import { compileExpires } from '../../../src/middleware/headers/compile-expires.ts';
import { createExpires } from '../../../src/middleware/headers/create-headers.ts';
import { expiresShape } from '../../../src/middleware/headers/expires-shape.ts';
import { createExchange } from '../../handlers/exchange.ts';

const modified = 'Fri, 01 Mar 2024 11:00:00 GMT';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(new Date(2024, 2, 1, 12, 0, 0));
});

afterEach(() => {
  vi.useRealTimers();
});

function apply(written: string, status = 200, fields: string[] = []): (string | undefined)[] {
  const settings = expiresShape.parse(written);
  if (settings === null) throw new Error('off');
  const reply = compileExpires(settings)(createExchange('/'), new Reply(status, fields, null));
  return [getField(reply.fields, 'cache-control'), getField(reply.fields, 'expires')];
}

const later = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

describe('expires', () => {
  it('means what it means in nginx', () => {
    expect(apply('30d')).toEqual(['max-age=2592000', later(2_592_000)]);
    expect(apply('1y 2w 1h')).toEqual(['max-age=32749200', later(32_749_200)]);
    expect(apply('0')).toEqual(['max-age=0', later(0)]);
    expect(apply('-1')).toEqual(['no-cache', later(-1)]);
    expect(apply('-1h')).toEqual(['no-cache', later(-3_600)]);
    expect(apply('epoch')).toEqual(['no-cache', 'Thu, 01 Jan 1970 00:00:01 GMT']);
    expect(apply('max')).toEqual(['max-age=315360000', 'Thu, 31 Dec 2037 23:55:55 GMT']);
    expect(apply('@15h30m')).toEqual(['max-age=12600', later(12_600)]);
    expect(apply('@11h')).toEqual(['max-age=82800', later(82_800)]);
    expect(expiresShape.parse('off')).toBeNull();
  });

  it('counts from Last-Modified where there is one', () => {
    vi.setSystemTime(new Date('2024-03-01T12:00:00Z'));
    expect(apply('modified 2h', 200, ['Last-Modified', modified])).toEqual(['max-age=3600', later(3_600)]);
    expect(apply('modified 30m', 200, ['Last-Modified', modified])).toEqual(['no-cache', later(-1_800)]);
    expect(apply('modified +2h')).toEqual(['max-age=7200', later(7_200)]);
  });

  it.each(['', 'soon', '5', '-5', '30 d', '@25h', '@-1h', 'modified', 'max 1d', '99999999999999999999d'])(
    'refuses %j',
    (written) => {
      expect(expiresShape.safeParse(written).success).toBe(false);
    },
  );

  it('replaces what the handler says, on success and redirects only', () => {
    for (const status of [200, 206, 301, 304]) {
      expect(apply('1h', status, ['cache-control', 'no-cache', 'expires', 'x'])[0]).toBe('max-age=3600');
    }
    for (const status of [403, 404, 412, 500]) {
      expect(apply('1h', status, ['Cache-Control', 'no-store'])).toEqual(['no-store', undefined]);
    }
  });

  it('keeps a cached reply shared, a new copy each second', () => {
    const shared = new Reply(200, [], null, true);
    const handle = createExpires({ from: 'now', seconds: 60 })(() => shared);
    const first = handle(createExchange('/')) as Reply;
    expect([first.shared, handle(createExchange('/')) === first, shared.fields]).toEqual([true, true, []]);
    vi.setSystemTime(Date.now() + 1_000);
    const second = handle(createExchange('/')) as Reply;
    expect(getField(second.fields, 'expires')).not.toBe(getField(first.fields, 'expires'));
  });
});
