import { describe, expect, it, vi } from 'vitest';
import { SharedPool } from '../../src/base/shared-pool.ts';

describe('a shared pool', () => {
  it('keeps one thing per key until its last user lets go', () => {
    const pool = new SharedPool();
    const close = vi.fn();
    const create = vi.fn(() => ({ close }));
    const first = pool.take('a', create);
    const second = pool.take('a', create);
    expect(second.value).toBe(first.value);
    expect(create).toHaveBeenCalledTimes(1);
    first.release();
    first.release();
    expect(close).not.toHaveBeenCalled();
    second.release();
    expect(close).toHaveBeenCalledTimes(1);
    expect(pool.size).toBe(0);
    expect(pool.take('a', create).value).not.toBe(undefined);
    expect(create).toHaveBeenCalledTimes(2);
  });

  it('lists things by the beginning of their keys', () => {
    const pool = new SharedPool();
    const things = ['log:1', 'log:2', 'pool:1'].map(
      (key) => pool.take(key, () => ({ key, close: () => {} })).value,
    );
    expect(pool.values('log:')).toEqual(things.slice(0, 2));
  });
});
