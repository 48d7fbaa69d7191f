import { expect, test } from 'vitest';
import { BackOff } from '../../src/process/back-off.ts';

const settings = { healthyMs: 10_000, crashMs: 1_000, firstDelayMs: 100, longestDelayMs: 5_000 };

test('a death after a healthy life is made good at once', () => {
  const backOff = new BackOff(settings);
  expect(backOff.addDeath(10_000)).toBe(0);
  expect(backOff.crashes).toBe(0);
});

test('quick deaths wait twice as long each time, up to a limit, from the first one on', () => {
  const backOff = new BackOff(settings);
  const delays = Array.from({ length: 8 }, () => backOff.addDeath(0));
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  expect(backOff.crashes).toBe(8);
});

test('a short life that was none of a crash still waits, but begins the count of crashes anew', () => {
  const backOff = new BackOff(settings);
  backOff.addDeath(0);
  backOff.addDeath(999);
  expect(backOff.crashes).toBe(2);
  expect(backOff.addDeath(2_000)).toBe(400);
  expect(backOff.crashes).toBe(0);
});

test('a healthy life makes good for all before', () => {
  const backOff = new BackOff(settings);
  for (let i = 0; i < 5; i++) backOff.addDeath(0);
  expect(backOff.addDeath(60_000)).toBe(0);
  expect(backOff.addDeath(0)).toBe(100);
});
