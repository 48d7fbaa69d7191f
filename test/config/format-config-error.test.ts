import { expect, test } from 'vitest';
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts';
import { formatConfigError } from '../../src/config/format-config-error.ts';

function createProblem(facts: Partial<ConfigProblem>): ConfigProblem {
  return {
    file: 'a.json',
    line: 1,
    column: 1,
    at: '',
    problem: 'bad',
    hint: '',
    sourceLine: '',
    length: 0,
    ...facts,
  };
}

function format(facts: Partial<ConfigProblem>, color = false): string {
  return formatConfigError(new ConfigError([createProblem(facts)]), { color });
}

test('a problem is its place, words and hint, the source line, and a caret under the place', () => {
  expect(
    format({ line: 3, column: 7, hint: 'did you mean x?', sourceLine: '    { "y": 1 }', length: 3 }),
  ).toBe(['a.json:3:7: bad (did you mean x?)', '        { "y": 1 }', '          ^~~', ''].join('\n'));
});

test('tabs before the place stay tabs, so that the caret stands where it should', () => {
  expect(format({ column: 3, sourceLine: '\t\t1', length: 1 })).toBe(
    'a.json:1:3: bad\n    \t\t1\n    \t\t^\n',
  );
});

test('a problem without a line is one line', () => {
  expect(format({ line: 0, column: 0, at: 'routes[0]' })).toBe('a.json: routes[0]: bad\n');
});

test('of an endless line only the part around the place is shown', () => {
  const lines = format({
    column: 501,
    sourceLine: `${'a'.repeat(500)}XYZ${'b'.repeat(500)}`,
    length: 3,
  }).split('\n');
  expect(lines[1]).toBe(`    ${'a'.repeat(40)}XYZ${'b'.repeat(77)}`);
  expect(lines[2]).toBe(`    ${' '.repeat(40)}^~~`);
});

test('a mark never goes beyond what is shown', () => {
  const lines = format({ column: 1, sourceLine: 'x'.repeat(400), length: 400 }).split('\n');
  expect(lines[2]).toBe(`    ^${'~'.repeat(119)}`);
});

test('colours are ANSI codes, and there are none without being asked for', () => {
  const facts = { sourceLine: 'x', length: 1 };
  expect(format(facts, true)).toBe('\x1b[1ma.json:1:1: bad\x1b[0m\n    x\n    \x1b[31m^\x1b[0m\n');
  expect(format(facts)).not.toContain('\x1b');
});

test('V37: control characters of a config never reach the terminal', () => {
  const text = format({ problem: 'found "\x1b[2J"', column: 2, sourceLine: '\x07"\x1b[2J"', length: 6 });
  expect(text).toBe(
    ['a.json:1:2: found "\\u001b[2J"', '    \\u0007"\\u001b[2J"', '          ^~~~~~~~~~~', ''].join('\n'),
  );
});

test('problems come in the order of the file', () => {
  const at = (line: number, column: number) => createProblem({ line, column, problem: `${line}.${column}` });
  const error = new ConfigError([at(9, 1), at(2, 5), at(2, 3), at(0, 0)]);
  expect(error.problems.map((problem) => problem.problem)).toEqual(['0.0', '2.3', '2.5', '9.1']);
  expect(error.message.split('\n')).toHaveLength(4);
});
