import { expect, test } from 'vitest';
import { findTree, parseProcessStat } from './process-tree.ts';

test('a line of /proc/PID/stat is read whatever the program is called', () => {
  const line = '42 (a) R 1 (b) S 7 42 42 0 -1 4194560 100 0 0 0 1500 300 0 0 20 0 1 0 100 0 0';
  expect(parseProcessStat(line)).toEqual({ pid: 42, parent: 7, ticks: 1800 });
});

test('a tree is its roots and all that descends from them, whatever the order', () => {
  const all = [
    [5, 4],
    [4, 2],
    [2, 1],
    [3, 1],
    [6, 3],
  ].map(([pid, parent]) => ({ pid, parent, ticks: 1 }));
  expect(findTree(all, [2]).map((each) => each.pid)).toEqual([5, 4, 2]);
  expect(findTree(all, [4, 3]).map((each) => each.pid)).toEqual([5, 4, 3, 6]);
});
