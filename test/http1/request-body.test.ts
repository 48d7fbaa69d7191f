import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestBodyReader } from '../../src/http1/request-body.ts';
import type { HttpError } from '../../src/message/http-error.ts';

const limits = { head: 1024, fields: 10, target: 100, bodyRate: 100 };
const owner = { onBodyWanted: () => {}, onBodyDelivered: () => {} };

describe('V16: the rate of a request body', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.advanceTimersByTime(1000);
  });
  afterEach(() => void vi.useRealTimers());

  /** Brings `bytes` every `everyMs` while a reader waits; gives the bytes read and the error. */
  function drip(body: RequestBodyReader, bytes: string, everyMs: number, times: number) {
    let read = 0;
    let error: HttpError | null = null;
    for (let i = 0; i < times && error === null; i++) {
      body.read((failure, chunk) => {
        error = failure as HttpError | null;
        read += chunk?.length ?? 0;
      });
      vi.advanceTimersByTime(everyMs);
      body.push(Buffer.from(bytes));
    }
    return { read, code: (error as HttpError | null)?.code };
  }

  it('below the least one ends it after 10 s of waiting', () => {
    const body = new RequestBodyReader(100_000, limits, owner);
    expect(drip(body, 'x', 1000, 60)).toEqual({ read: 10, code: 'TSS_BODY_TIMEOUT' });
    let again: Error | null = null;
    body.read((error) => {
      again = error;
    });
    expect(again).not.toBeNull();
  });

  it('below it in framing alone ends it too', () => {
    const body = new RequestBodyReader(null, limits, owner);
    body.read(() => {});
    let code = '';
    body.cancel();
    body.read((error) => {
      code = (error as HttpError).code;
    });
    body.push(Buffer.from('1;'));
    for (let i = 0; i < 60 && code === ''; i++) {
      vi.advanceTimersByTime(1000);
      body.push(Buffer.from('a'));
    }
    expect(code).toBe('TSS_BODY_TIMEOUT');
  });

  it('at the least one is taken, and so is a pause that the reader makes', () => {
    const body = new RequestBodyReader(100_000, limits, owner);
    expect(drip(body, 'x'.repeat(101), 1000, 60)).toEqual({ read: 6060, code: undefined });
    vi.advanceTimersByTime(3_600_000);
    expect(drip(body, 'x'.repeat(101), 1000, 10)).toEqual({ read: 1010, code: undefined });
  });

  it('has no limit when it is 0', () => {
    const body = new RequestBodyReader(100_000, { ...limits, bodyRate: 0 }, owner);
    expect(drip(body, 'x', 10_000, 60)).toEqual({ read: 60, code: undefined });
  });
});

describe('the memory of a large chunk', () => {
  const take = (body: RequestBodyReader): Uint8Array => {
    let taken: Uint8Array | null = null;
    body.read((_error, chunk) => {
      taken = chunk;
    });
    if (taken === null) throw new Error('no chunk at hand');
    return taken;
  };

  it('is used again once it was given back, and is never the memory that was read into', () => {
    const read = Buffer.alloc(50_000, 1);
    const body = new RequestBodyReader(150_000, limits, owner);
    body.push(read);
    const first = take(body);
    read.fill(2);
    expect(first.every((byte) => byte === 1)).toBe(true);
    body.recycle(first);
    body.push(read);
    const second = take(body);
    expect(second.buffer).toBe(first.buffer);
    body.push(Buffer.alloc(50_000, 3));
    expect(take(body).buffer).not.toBe(second.buffer);
    expect(second.every((byte) => byte === 2)).toBe(true);
  });

  it('is not used again while what came behind it is unread', () => {
    const body = new RequestBodyReader(50_000, limits, owner);
    body.push(Buffer.concat([Buffer.alloc(50_000, 1), Buffer.from('GET /next HTTP/1.1\r\n\r\n')]));
    const chunk = take(body);
    body.recycle(chunk);
    const other = new RequestBodyReader(50_000, limits, owner);
    other.push(Buffer.alloc(50_000, 2));
    expect(take(other).buffer).not.toBe(chunk.buffer);
    expect(body.takeRest()).toBe('GET /next HTTP/1.1\r\n\r\n');
  });
});
