import { expect, test } from 'vitest';
import { measureDistance, suggestName } from '../../src/config/suggest-name.ts';

test.each([
  ['pathh', ['path', 'proxy'], 'path'],
  ['prxoy', ['path', 'proxy'], 'proxy'],
  ['root', ['root'], null],
  ['Path', ['bath', 'path'], 'path'],
  ['accesslog', ['accessLog', 'errorLog'], 'accessLog'],
  ['x', ['y'], null],
  ['', ['a'], null],
  ['server_name', ['servers', 'names'], null],
  ['upstreem', ['streams', 'upstream'], 'upstream'],
  ['ab', ['cd', 'abc'], 'abc'],
  ['warning', ['info', 'warn'], 'warn'],
  ['proxy_pass', ['path', 'proxy'], 'proxy'],
  ['constructor', ['co', 'cons'], 'cons'],
])('%j among %j suggests %j', (name, candidates, expected) => {
  expect(suggestName(name, candidates)).toBe(expected);
});

test('the nearest of several near names is suggested, the first of equally near ones', () => {
  expect(suggestName('headrs', ['header', 'headers'])).toBe('headers');
  expect(suggestName('cat', ['cut', 'cot'])).toBe('cut');
});

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
  ['ca', 'abc', 3],
])('the distance of %j and %j is %d', (a, b, expected) => {
  expect(measureDistance(a, b, 9)).toBe(expected);
});

test('a distance beyond the limit is given as limit + 1', () => {
  expect(measureDistance('abcdef', 'uvwxyz', 2)).toBe(3);
  expect(measureDistance('a', 'abcdefgh', 2)).toBe(3);
});
