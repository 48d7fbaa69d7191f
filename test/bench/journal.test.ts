import { expect, test } from 'vitest';
import { Journal } from './journal.ts';

test('what fails is named in one line, and what follows goes on', async () => {
  const lines: string[] = [];
  const journal = new Journal((line) => lines.push(line));
  const failed = await journal.attempt('caddy, 1k', async () => {
    throw new Error('first line\n  second line\n');
  });
  expect(failed).toBeUndefined();
  expect(await journal.attempt('nginx, 1k', async () => 7)).toBe(7);
  journal.write('round 1');
  expect(journal.problems).toEqual(['caddy, 1k: first line; second line']);
  expect(lines).toEqual(['PROBLEM caddy, 1k: first line; second line', 'round 1']);
});
