import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';

describe('a timer wheel', () => {
  let wheel: TimerWheel;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    wheel = new TimerWheel(10, 8);
  });
  afterEach(() => {
    wheel.close();
    vi.useRealTimers();
  });

  it('calls back once, within a tick of the time, also beyond a turn', () => {
    for (const delayMs of [1, 10, 35, 70, 80, 500]) {
      const calls: number[] = [];
      const startMs = performance.now();
      wheel.createDeadline(() => calls.push(performance.now() - startMs)).set(delayMs);
      vi.advanceTimersByTime(1000);
      expect(calls).toHaveLength(1);
      expect(calls[0]).toBeGreaterThanOrEqual(delayMs);
      expect(calls[0]).toBeLessThanOrEqual(delayMs + 20);
    }
  });

  it('follows moves later and earlier', () => {
    const onExpire = vi.fn();
    const deadline = wheel.createDeadline(onExpire);
    deadline.set(50);
    vi.advanceTimersByTime(40);
    deadline.set(50);
    vi.advanceTimersByTime(40);
    expect(onExpire).not.toHaveBeenCalled();
    deadline.set(500);
    deadline.set(10);
    vi.advanceTimersByTime(30);
    expect(onExpire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1000);
    expect(onExpire).toHaveBeenCalledTimes(1);
  });

  it('forgets what was cleared, and takes it again', () => {
    const onExpire = vi.fn();
    const deadline = wheel.createDeadline(onExpire);
    deadline.set(20);
    deadline.clear();
    vi.advanceTimersByTime(200);
    expect(onExpire).not.toHaveBeenCalled();
    deadline.set(20);
    deadline.clear();
    deadline.set(30);
    vi.advanceTimersByTime(60);
    expect(onExpire).toHaveBeenCalledTimes(1);
  });

  it('holds nothing of an owner whose deadline was dropped, and takes it again', () => {
    const onExpire = vi.fn();
    const [first, second, third] = [1, 2, 3].map(() => wheel.createDeadline(onExpire));
    for (const deadline of [first, second, third]) deadline.set(20);
    second.drop();
    first.drop();
    second.drop();
    vi.advanceTimersByTime(200);
    expect(onExpire).toHaveBeenCalledTimes(1);
    second.set(20);
    vi.advanceTimersByTime(40);
    expect(onExpire).toHaveBeenCalledTimes(2);
  });

  it('misses none of the others when one that expires moves or drops its neighbours', () => {
    for (const act of ['drop', 'move'] as const) {
      const expired: number[] = [];
      const deadlines = [0, 1, 2, 3, 4].map((n) =>
        wheel.createDeadline(() => {
          expired.push(n);
          for (const other of [1, 3]) {
            if (act === 'drop') deadlines[other].drop();
            else deadlines[other].set(10);
          }
        }),
      );
      for (const deadline of deadlines) deadline.set(20);
      vi.advanceTimersByTime(40);
      expect(expired).toEqual(expect.arrayContaining([0, 2, 4]));
      for (const deadline of deadlines) deadline.drop();
    }
  });

  it('lets a deadline set others, itself included, while it expires', () => {
    let calls = 0;
    const other = vi.fn();
    const second = wheel.createDeadline(other);
    const deadline = wheel.createDeadline(() => {
      second.set(10);
      if (++calls < 3) deadline.set(10);
    });
    deadline.set(10);
    vi.advanceTimersByTime(200);
    expect(calls).toBe(3);
    expect(other).toHaveBeenCalled();
  });

  it('expires every deadline of one slot although one of them clears another', () => {
    const calls: string[] = [];
    const a = wheel.createDeadline(() => {
      calls.push('a');
      b.clear();
    });
    const b = wheel.createDeadline(() => calls.push('b'));
    const c = wheel.createDeadline(() => calls.push('c'));
    b.set(10);
    a.set(10);
    c.set(10);
    vi.advanceTimersByTime(50);
    expect(calls.toSorted()).toEqual(['a', 'c']);
  });

  it('makes up for a blocked event loop', () => {
    const onExpire = vi.fn();
    wheel.createDeadline(onExpire).set(30);
    vi.advanceTimersByTime(5);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
    vi.advanceTimersByTime(10);
    expect(onExpire).toHaveBeenCalledTimes(1);
  });
});
