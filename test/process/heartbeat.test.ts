import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chooseBeatMs, Heartbeat } from '../../src/process/heartbeat.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watch(timeoutMs: number) {
  const silences: number[] = [];
  return { heartbeat: new Heartbeat(timeoutMs, (silentMs) => silences.push(silentMs)), silences };
}

test('silence is told once, when it has lasted', () => {
  const { silences } = watch(1_000);
  vi.advanceTimersByTime(900);
  expect(silences).toEqual([]);
  vi.advanceTimersByTime(5_000);
  expect(silences).toHaveLength(1);
});

test('beats keep it away, and so does the end of the watch', () => {
  const { heartbeat, silences } = watch(1_000);
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(900);
    heartbeat.note();
  }
  heartbeat.stop();
  vi.advanceTimersByTime(5_000);
  expect(silences).toEqual([]);
});

test('a watcher that was stopped itself has missed nothing', () => {
  const { silences } = watch(1_000);
  // Hours pass on the clock between two looks.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000_000);
  vi.advanceTimersByTime(100);
  expect(silences).toEqual([]);
});

test('beats come many times within the timeout, once a second at the least', () => {
  expect(chooseBeatMs(0)).toBe(0);
  expect(chooseBeatMs(30_000)).toBe(1_000);
  expect(chooseBeatMs(1_000)).toBe(50);
});
