import { relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { benchUsage, parseBenchArguments } from './bench-arguments.ts';

describe('the arguments of the bench', () => {
  test('none mean everything, five rounds of two seconds, nothing written', () => {
    const options = parseBenchArguments([]);
    expect(options).toMatchObject({
      rounds: 5,
      seconds: 2,
      quick: false,
      json: null,
      profile: null,
      node: process.execPath,
      write: false,
    });
    expect(options?.peers).toEqual(['tsserve', 'nginx', 'haproxy', 'caddy', 'node:http']);
    expect(options?.rows).toEqual(expect.arrayContaining(['1k', 'gateway', 'routes', 'start-up']));
  });

  test('--quick is shorter, and what is said beside it still holds', () => {
    expect(parseBenchArguments(['--quick'])).toMatchObject({ rounds: 2, seconds: 1, quick: true });
    expect(parseBenchArguments(['--quick', '--rounds', '7'])).toMatchObject({ rounds: 7, seconds: 1 });
  });

  test('--only and --peers choose, in the order of the tables', () => {
    const options = parseBenchArguments(['--only', 'routes,1k', '--peers', 'nginx,tsserve']);
    expect(options).toMatchObject({ rows: ['1k', 'routes'], peers: ['tsserve', 'nginx'] });
  });

  test('--node names another Node, from where one stands', () => {
    const path = relative(process.cwd(), process.execPath);
    expect(parseBenchArguments(['--node', path, '--write'])?.node).toBe(process.execPath);
  });

  test.each([
    [['--only', '1k,2k'], '"2k" is none of 1k, 1k-browser'],
    [['--peers', 'apache'], '"apache" is none of tsserve'],
    [['--rounds', '0'], '--rounds wants a whole number from 1, not "0"'],
    [['--seconds', '1.5'], '--seconds wants a whole number from 1'],
    [['--write', '--quick'], '--write wants the whole run'],
    [['--write', '--only', '1k'], '--write wants the whole run'],
    [['--write', '--peers', 'nginx'], '--write wants the whole run'],
    [['--write', '--profile', 'a'], '--write wants the whole run'],
    [['--node', '/no/such/node'], '--node wants the path of a program, not "/no/such/node"'],
    [['--fast'], '--fast'],
  ])('%j are refused', (args, sentence) => {
    expect(() => parseBenchArguments(args)).toThrow(sentence);
  });

  test('--help names every row and peer', () => {
    expect(parseBenchArguments(['--help'])).toBeNull();
    for (const name of [...(parseBenchArguments([])?.rows ?? []), 'haproxy'])
      expect(benchUsage).toContain(name);
  });
});
