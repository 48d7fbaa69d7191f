import { expect, test } from 'vitest';
import { RequestGate } from '../../src/app-host/request-gate.ts';

/** Work that is done when told to. */
function createWork(gate: RequestGate, order: string[], name: string) {
  let finish: () => void = () => {};
  const result = gate.run(() => {
    order.push(name);
    return new Promise<string>((resolve) => {
      finish = () => resolve(name);
    });
  });
  return { result, finish: () => finish() };
}

test('so many run at a time, the others in the order in which they came', async () => {
  const gate = new RequestGate(2);
  const order: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => createWork(gate, order, name));
  expect(order).toEqual(['a', 'b']);
  b.finish();
  expect(await b.result).toBe('b');
  expect(order).toEqual(['a', 'b', 'c']);
  c.finish();
  expect(await c.result).toBe('c');
  a.finish();
  d.finish();
  expect([await a.result, await d.result]).toEqual(['a', 'd']);
});

test('work that is done at once has its place for no longer, and its answer is no promise', () => {
  const gate = new RequestGate(1);
  expect(gate.run(() => 1)).toBe(1);
  expect(gate.run(() => 2)).toBe(2);
});

test('work that fails gives its place back', async () => {
  const gate = new RequestGate(1);
  const fail = () => {
    throw new Error('no');
  };
  expect(() => gate.run(fail)).toThrow('no');
  await expect(gate.run(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
  const order: string[] = [];
  const running = createWork(gate, order, 'running');
  const waiting = gate.run(fail);
  running.finish();
  await expect(waiting).rejects.toThrow('no');
  expect(gate.run(() => 'free')).toBe('free');
});
