import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { guardAbortListeners } from '../../src/app-host/guard-abort-listeners.ts';
import { waitUntil } from '../support/wait-until.ts';

let reports: string[] = [];

beforeAll(() => guardAbortListeners());

beforeEach(() => {
  reports = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    reports.push(String(text));
    return true;
  });
});

afterEach(() => vi.restoreAllMocks());

/** A failure that is not caught fails the whole run. */
const boom = (): never => {
  throw new RangeError('boom');
};

describe('an abort listener that fails is reported, and the others are called', () => {
  test.each<[string, (signal: AbortSignal) => void]>([
    ['a function', (signal) => signal.addEventListener('abort', boom)],
    ['an async function', (signal) => signal.addEventListener('abort', async () => boom())],
    ['an object', (signal) => signal.addEventListener('abort', { handleEvent: boom })],
    [
      'onabort',
      (signal) => {
        signal.onabort = boom;
      },
    ],
    [
      'one of a signal that depends on it',
      (signal) => AbortSignal.any([signal]).addEventListener('abort', boom),
    ],
  ])('%s', async (_, listen) => {
    const controller = new AbortController();
    const calls: string[] = [];
    listen(controller.signal);
    controller.signal.addEventListener('abort', (event) => calls.push(event.type));
    controller.abort();
    await waitUntil('the report', () => reports.length > 0);
    expect(reports.join('')).toMatch(/^an abort listener failed: RangeError: boom\n/);
    expect(calls).toEqual(['abort']);
    // Where the platform would throw it.
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('listeners are as they were', () => {
  test('one that is added twice is called once, with its signal', () => {
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    const listen = function (this: unknown) {
      seen.push(this);
    };
    signal.addEventListener('abort', listen);
    signal.addEventListener('abort', listen);
    signal.dispatchEvent(new Event('abort'));
    expect(seen).toEqual([signal]);
  });

  test('one that was removed is not called', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const listen = (): void => void calls.push('removed');
    const object = { handleEvent: listen };
    controller.signal.addEventListener('abort', listen);
    controller.signal.addEventListener('abort', object);
    controller.signal.removeEventListener('abort', listen);
    controller.signal.removeEventListener('abort', object);
    controller.signal.removeEventListener('abort', boom);
    controller.signal.onabort = () => calls.push('replaced');
    controller.signal.onabort = null;
    controller.abort();
    expect(calls).toEqual([]);
  });

  test('null is taken, a text refused', () => {
    const { signal } = new AbortController();
    signal.addEventListener('abort', null as unknown as () => void);
    expect(() => signal.addEventListener('abort', 'x' as unknown as () => void)).toThrow(TypeError);
  });

  test('an object of options holds', () => {
    const { signal } = new AbortController();
    let calls = 0;
    signal.addEventListener('abort', () => calls++, { once: true });
    signal.dispatchEvent(new Event('abort'));
    signal.dispatchEvent(new Event('abort'));
    expect(calls).toBe(1);
  });
});
