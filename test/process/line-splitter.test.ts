import { expect, test } from 'vitest';
import { LineSplitter } from '../../src/process/line-splitter.ts';

function split(chunks: readonly (string | Buffer)[], maxLength?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maxLength);
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
  splitter.end();
  return lines;
}

test('lines come out the same, split at whatever byte', () => {
  const bytes = Buffer.from('eins\r\nzwei: öäü €\n\ndrei');
  const whole = split([bytes]);
  expect(whole).toEqual(['eins', 'zwei: öäü €', '', 'drei']);
  for (let at = 0; at <= bytes.length; at++) {
    expect(split([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
  }
});

test('an endless line is cut and does not grow', () => {
  const chunks = Array.from({ length: 1000 }, () => 'x'.repeat(1000));
  const lines = split([...chunks, '\nnext\n'], 50);
  expect(lines).toEqual([`${'x'.repeat(50)} [...]`, 'next']);
});

test('a line of just the limit is whole', () => {
  expect(split(['x'.repeat(50), '\n'], 50)).toEqual(['x'.repeat(50)]);
});

test('nothing comes of nothing', () => {
  expect(split([])).toEqual([]);
});
