import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OnPiece, PieceCache, pieceBytes } from '../../../src/handlers/static/piece-cache.ts';

const entryBytes = 512;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function createCache(pieces: number): PieceCache {
  return new PieceCache(pieces * (pieceBytes + entryBytes));
}

function keep(cache: PieceCache, key: string): void {
  cache.share(
    key,
    (onPiece) => onPiece(Buffer.alloc(pieceBytes)),
    () => {},
  );
}

describe('PieceCache', () => {
  it('tells what is asked for the second time within ten seconds', () => {
    const cache = createCache(1);
    expect([cache.isAskedAgain('a'), cache.isAskedAgain('b'), cache.isAskedAgain('a')]).toEqual([
      false,
      false,
      true,
    ]);
    vi.advanceTimersByTime(10_000);
    expect([cache.isAskedAgain('a'), cache.isAskedAgain('a')]).toEqual([false, true]);
  });

  it('has what several want at the same time read once, and gives all of them the same bytes', () => {
    const cache = createCache(1);
    let finish: OnPiece = () => {};
    const read = vi.fn((onPiece: OnPiece) => {
      finish = onPiece;
    });
    const given: (Buffer | null)[] = [];
    for (let i = 0; i < 3; i++) cache.share('a', read, (bytes) => given.push(bytes));
    expect([read.mock.calls.length, cache.isAskedAgain('a'), given.length]).toEqual([1, true, 0]);
    const bytes = Buffer.alloc(10);
    finish(bytes);
    expect([given.length, given.every((each) => each === bytes), cache.find('a') === bytes]).toEqual([
      3,
      true,
      true,
    ]);
  });

  it('tells all who wait when a piece could not be read, keeps nothing, and reads again for the next', () => {
    const cache = createCache(1);
    const given: (Buffer | null)[] = [];
    for (let i = 0; i < 2; i++) {
      cache.share(
        'a',
        (onPiece) => onPiece(null),
        (bytes) => given.push(bytes),
      );
    }
    expect([given, cache.find('a'), cache.bytes]).toEqual([[null, null], null, 0]);
  });

  it('does not let what is used give way to anything, and lets it go when it was not used for ten seconds', () => {
    const cache = createCache(2);
    for (const key of ['a', 'b', 'c']) keep(cache, key);
    expect(['a', 'b', 'c'].map((key) => cache.find(key) !== null)).toEqual([true, true, false]);
    vi.advanceTimersByTime(9_999);
    cache.find('a');
    vi.advanceTimersByTime(1);
    for (const key of ['c', 'd']) keep(cache, key);
    expect(['a', 'b', 'c', 'd'].map((key) => cache.find(key) !== null)).toEqual([true, false, true, false]);
    expect(cache.bytes).toBe(2 * (pieceBytes + entryBytes));
  });

  it('keeps nothing when it is smaller than a piece', () => {
    const cache = new PieceCache(pieceBytes);
    keep(cache, 'a');
    expect([cache.hasRoom, cache.find('a'), cache.bytes]).toEqual([false, null, 0]);
  });

  it('forgets everything when it is closed', () => {
    const cache = createCache(1);
    keep(cache, 'a');
    cache.isAskedAgain('b');
    cache.close();
    expect([cache.find('a'), cache.bytes, cache.isAskedAgain('b')]).toEqual([null, 0, false]);
  });
});
