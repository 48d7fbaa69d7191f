import { expect, test } from 'vitest';
import { spreadOver } from './measure-growth.ts';
import { type Job, orderJobs } from './measure-jobs.ts';

test('who comes first in a row changes from round to round', () => {
  const jobs = ['1k', '404'].flatMap((row) => ['a', 'b', 'c'].map((peer) => ({ row, peer }) as Job));
  const order = (round: number) => orderJobs(jobs, round).map((job) => `${job.row} ${job.peer}`);
  expect(order(0)).toEqual(['1k a', '1k b', '1k c', '404 a', '404 b', '404 c']);
  expect(order(1)).toEqual(['1k b', '1k c', '1k a', '404 b', '404 c', '404 a']);
  expect(order(5)).toEqual(order(2));
});

test('what is asked for is spread from the first to the last', () => {
  expect(spreadOver(10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(spreadOver(100_000)).toHaveLength(10);
  expect([spreadOver(100_000)[0], spreadOver(100_000)[9]]).toEqual([0, 99_999]);
});
