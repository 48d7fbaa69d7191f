import { describe, expect, it } from 'vitest';
import { LruCache } from '../../src/base/lru-cache.ts';

describe('LruCache', () => {
  it('lets the least recently used go when it holds too many bytes', () => {
    const cache = new LruCache<string>(30);
    for (const key of ['a', 'b', 'c']) cache.set(key, key, 10);
    cache.get('a');
    cache.set('d', 'd', 10);
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual(['a', undefined, 'c', 'd']);
    expect([cache.size, cache.bytes]).toEqual([3, 30]);
  });

  it('tells which value would go first, and a look at it does not save it', () => {
    const cache = new LruCache<string>(20);
    expect(cache.oldest).toBeNull();
    for (const key of ['a', 'b']) cache.set(key, `value of ${key}`, 10);
    expect([cache.oldest?.key, cache.oldest?.value]).toEqual(['a', 'value of a']);
    cache.set('c', 'c', 10);
    expect([cache.oldest?.key, cache.get('a')]).toEqual(['b', undefined]);
  });

  it('lets several go for a heavy one', () => {
    const cache = new LruCache<string>(30);
    for (const key of ['a', 'b', 'c']) cache.set(key, key, 10);
    cache.set('heavy', 'heavy', 25);
    expect([cache.size, cache.bytes, cache.get('heavy')]).toEqual([1, 25, 'heavy']);
  });

  it('does not keep what is heavier than itself, nor what that would have replaced', () => {
    const cache = new LruCache<string>(30);
    cache.set('a', 'old', 10);
    cache.set('a', 'new', 31);
    expect([cache.get('a'), cache.bytes]).toEqual([undefined, 0]);
  });

  it('weighs a replaced value once', () => {
    const cache = new LruCache<string>(30);
    cache.set('a', 'old', 10);
    cache.set('a', 'new', 20);
    expect([cache.get('a'), cache.size, cache.bytes]).toEqual(['new', 1, 20]);
  });

  it('keeps its order when values are deleted at either end and in the middle', () => {
    const cache = new LruCache<number>(5);
    for (let i = 0; i < 5; i++) cache.set(`${i}`, i, 1);
    for (const key of ['0', '2', '4', 'none']) cache.delete(key);
    cache.set('5', 5, 4);
    expect([cache.get('1'), cache.get('3'), cache.get('5'), cache.bytes]).toEqual([undefined, 3, 5, 5]);
  });

  it('agrees with a plain model through a long random life', () => {
    const cache = new LruCache<number>(100);
    let model: [key: string, bytes: number][] = [];
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    for (let i = 0; i < 5_000; i++) {
      const key = `k${random(20)}`;
      const known = model.find(([name]) => name === key);
      const rest = model.filter(([name]) => name !== key);
      if (random(2) === 0) {
        expect(cache.get(key) !== undefined).toBe(known !== undefined);
        if (known !== undefined) model = [...rest, known];
      } else {
        const bytes = random(40);
        cache.set(key, i, bytes);
        model = [...rest, [key, bytes]];
        while (model.reduce((sum, [, weight]) => sum + weight, 0) > 100) model.shift();
      }
      expect(cache.size).toBe(model.length);
    }
  });

  it('forgets everything when closed', () => {
    const cache = new LruCache<string>(30);
    cache.set('a', 'a', 10);
    cache.close();
    expect([cache.get('a'), cache.size, cache.bytes]).toEqual([undefined, 0, 0]);
    cache.set('b', 'b', 10);
    expect(cache.get('b')).toBe('b');
  });
});
