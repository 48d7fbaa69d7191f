import { expect, test } from 'vitest';
import { listHotFunctions } from './summarize-profile.ts';

test('the time of a function is its own, over all places it is called from, without what was idle', () => {
  const frame = (functionName: string, url = 'file:///dist/http1/a.js') => ({
    functionName,
    url,
    lineNumber: 4,
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)', '') },
      { id: 2, callFrame: frame('parse') },
      { id: 3, callFrame: frame('parse') },
      { id: 4, callFrame: frame('', 'node:net') },
    ],
    samples: [1, 2, 3, 4, 2],
    timeDeltas: [1000, 10, 20, 10, 60],
  };
  expect(listHotFunctions(profile, 5)).toEqual([
    { name: 'parse a.js:5', share: 0.9 },
    { name: 'anonymous node:net:5', share: 0.1 },
  ]);
  expect(listHotFunctions(profile, 1)).toHaveLength(1);
});
