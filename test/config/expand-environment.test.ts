// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation under test
import { expect, test } from 'vitest';
import { type EnvironmentProblem, expandEnvironment } from '../../src/config/expand-environment.ts';

const environment = { PORT: '8080', EMPTY: '', _X1: 'x', NESTED: '${PORT}' };

function expand(text: string) {
  const problems: EnvironmentProblem[] = [];
  return { text: expandEnvironment(text, environment, (problem) => problems.push(problem)), problems };
}

test.each([
  ['plain', 'plain'],
  ['${PORT}', '8080'],
  ['a${PORT}b${_X1}c', 'a8080bxc'],
  ['${EMPTY}', ''],
  ['${EMPTY:-d}', 'd'],
  ['${UNSET:-d}', 'd'],
  ['${UNSET:-}', ''],
  ['${UNSET:-a:-b c}', 'a:-b c'],
  ['${PORT:-9}', '8080'],
  ['${NESTED}', '${PORT}'],
])('%j becomes %j', (text, expected) => {
  expect(expand(text)).toEqual({ text: expected, problems: [] });
});

test.each(['$host', '${host}', '${arg_x}', '$${PORT}', '$$$host', '$PORT', '${Host}', '${1}'])(
  '%j is no environment reference and stays as it is',
  (text) => {
    expect(expand(text)).toEqual({ text, problems: [] });
  },
);

test('an escaped dollar before a reference leaves the reference alone', () => {
  expect(expand('$$${PORT}').text).toBe('$$8080');
});

test('an unset variable without default is a problem, each one of a string', () => {
  const { text, problems } = expand('${A}:${PORT}:${B}');
  expect(text).toBe('${A}:8080:${B}');
  expect(problems).toEqual([
    {
      reference: '${A}',
      problem: 'environment variable A is not set',
      hint: 'set it, or give a default: "${A:-default}"',
    },
    {
      reference: '${B}',
      problem: 'environment variable B is not set',
      hint: 'set it, or give a default: "${B:-default}"',
    },
  ]);
});

test.each(['${PORT', '${PORT:9}', '${PORT-9}', '${PORT }', '${PORT:-9'])(
  '%j is a malformed reference',
  (text) => {
    const { problems } = expand(text);
    expect(problems).toHaveLength(1);
    expect(problems[0].hint).toBe('write "${PORT}" or "${PORT:-default}"');
  },
);

test('names of object members that every object has are not set', () => {
  expect(expandEnvironment('${__PROTO__:-no}', environment, () => {})).toBe('no');
  expect(expandEnvironment('${X:-no}', Object.create({ X: 'inherited' }), () => {})).toBe('no');
});
