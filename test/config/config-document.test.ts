// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation of the config files
import { expect, test } from 'vitest';
import { createDocument, parseDocument } from '../../src/config/config-document.ts';
import { ConfigError, describeProblem } from '../../src/config/config-error.ts';

function parse(text: string, environment: Record<string, string> = {}) {
  return parseDocument(text, 'site.json', '/etc/site', environment);
}

function findProblems(text: string): string[] {
  try {
    return parse(text).problems.map(describeProblem);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(describeProblem);
  }
}

test('comments, trailing commas and a byte order mark are no part of the values', () => {
  expect(parse('\ufeff// a\n{ /* b */ "a": [1, 2,], "b": { "c": null, }, }').value).toEqual({
    a: [1, 2],
    b: { c: null },
  });
});

test('a byte order mark does not move the columns', () => {
  expect(findProblems('\ufeff{ "a": 1, "a": 2 }')).toEqual([
    'site.json:1:11: duplicate key "a" (the first is in line 1)',
  ]);
});

test.each(['\n', '\r\n', '\r'])('lines are counted whatever ends them: %j', (end) => {
  const document = parse(['{', '  "a": [', '    true', '  ]', '}'].join(end));
  expect(document.createProblem(['a', 0], 'x')).toEqual({
    file: 'site.json',
    line: 3,
    column: 5,
    at: 'a[0]',
    problem: 'x',
    hint: '',
    sourceLine: '    true',
    length: 4,
  });
});

test('a problem stands at the value, at the key, or at the innermost object that is there', () => {
  const document = parse('{\n  "a": { "b": "text" }\n}');
  const place = (...problem: Parameters<typeof document.createProblem>) => {
    const { line, column, length } = document.createProblem(...problem);
    return [line, column, length];
  };
  expect(place(['a', 'b'], '')).toEqual([2, 15, 6]);
  expect(place(['a', 'b'], '', '', 'key')).toEqual([2, 10, 3]);
  expect(place(['a', 'c', 'd'], '')).toEqual([2, 8, 15]);
  expect(place(['x'], '', '', 'key')).toEqual([1, 1, 1]);
  expect(place([], '')).toEqual([1, 1, 1]);
});

test('environment variables are expanded in values, not in keys', () => {
  expect(parse('{ "${A}": ["${A}", "x-${B:-b}"] }', { A: 'a' }).value).toEqual({ '${A}': ['a', 'x-b'] });
});

test('an unset variable is reported at the reference itself', () => {
  expect(findProblems('{\n  "a": "\\u0020x/${NO}/y"\n}')).toEqual([
    'site.json:2:17: environment variable NO is not set (set it, or give a default: "${NO:-default}")',
  ]);
});

test('a reference that is hidden by an escape is reported at its string', () => {
  expect(findProblems('{ "a": "\\u0024{NO}", "b": "${NO:-}" }')).toEqual([
    'site.json:1:8: environment variable NO is not set (set it, or give a default: "${NO:-default}")',
  ]);
});

test('of duplicate keys each one after the first is a problem, and the first one holds', () => {
  expect(parse('{ "a": 1, "a": 2 }').value).toEqual({ a: 1 });
  expect(findProblems('{\n"a": 1,\n"b": {"a": 1},\n"a": 2,\n"a": 3\n}')).toEqual([
    'site.json:4:1: duplicate key "a" (the first is in line 2)',
    'site.json:5:1: duplicate key "a" (the first is in line 2)',
  ]);
});

test('V20: a key "__proto__" is a problem and reaches no object', () => {
  const document = parse('{ "__proto__": { "polluted": true }, "constructor": 1 }');
  expect(document.problems.map(describeProblem)).toEqual(['site.json:1:3: this key cannot be used']);
  expect(Object.hasOwn(document.value as object, '__proto__')).toBe(false);
  expect((document.value as Record<string, unknown>).polluted).toBeUndefined();
});

test.each([
  ['', ['site.json:1:1: the file is empty (the smallest config is {})']],
  ['  // nothing\n', ['site.json:2:1: expected a value, but the file ends here']],
  ['{ "a" 1 }', ['site.json:1:7: expected ":" after the key, but found 1']],
  ['{ "a": }', ['site.json:1:8: expected a value, but found }']],
  ['{ "a": 1 "b": 2 }', ['site.json:1:10: expected a comma or a closing bracket, but found "b"']],
  ['{ a: 1 }', ['site.json:1:3: a is not JSON (keys are written in double quotes: "a")']],
  ["{ 'a': 1 }", ["site.json:1:3: 'a' is not JSON (strings are written in double quotes)"]],
  ['{ "a": auto }', ['site.json:1:8: auto is not JSON (strings are written in double quotes: "auto")']],
  ['{ "a": ture }', ['site.json:1:8: ture is not JSON (did you mean true?)']],
  ['{ "a": 1; "b": 2 }', ['site.json:1:9: ; is not JSON (entries are separated by commas)']],
  [
    '{ "a": 007 }',
    ['site.json:1:9: a number cannot begin with 0 (leave the zero out, or write it as a string)'],
  ],
  ['{ "a": 1. }', ['site.json:1:8: 1. is not a complete number']],
  ['{ "a": 1,, "b": 2 }', ['site.json:1:10: expected a key in double quotes, but found ,']],
  ['{ "a": "x\n}', ['site.json:1:8: this string is never closed (a string ends with " on the same line)']],
  ['{ "a": "\\\\d \\d" }', ['site.json:1:13: \\d means nothing in a string (a backslash is written \\\\)']],
  ['{ "a": "\\u12x4" }', ['site.json:1:9: \\u means nothing in a string (a backslash is written \\\\)']],
  [
    '{ "a": "\t" }',
    ['site.json:1:8: a control character inside a string (write a tab as \\t, a line end as \\n)'],
  ],
  ['/* { }', ['site.json:1:1: this comment is never closed (it ends with */)']],
  [
    '{ "a": [1, 2 }',
    ['site.json:1:14: expected a comma or a closing bracket, but found } (the [ in line 1 is still open)'],
  ],
  ['{\n  "a": [1,\n  2\n', ['site.json:2:8: this [ is never closed']],
  ['{} {}', ['site.json:1:4: expected the end of the file, but found { (a config is one object)']],
  ['[[[', ['site.json:1:3: this [ is never closed']],
])('the text %j is refused in plain words', (text, expected) => {
  expect(findProblems(text)).toEqual(expected);
});

test('syntax errors of several lines are all reported, one for each line', () => {
  expect(findProblems('{\n  a: 1,\n  "b": tru,\n  "c": \'x\'\n}')).toEqual([
    'site.json:2:3: a is not JSON (keys are written in double quotes: "a")',
    'site.json:3:8: tru is not JSON (did you mean true?)',
    "site.json:4:8: 'x' is not JSON (strings are written in double quotes)",
  ]);
});

test('a file that is no JSON at all gives a few problems, not thousands', () => {
  expect(findProblems(`{${'a;\n'.repeat(2000)}`)).toHaveLength(10);
});

test('V20: nesting that could exhaust the stack is refused', () => {
  expect(findProblems('['.repeat(100_000))).toEqual(['site.json:1:65: nested more than 64 levels deep']);
  expect(findProblems('{"a":'.repeat(100_000))).toEqual(['site.json:1:321: nested more than 64 levels deep']);
  expect(parse('['.repeat(64) + ']'.repeat(64)).problems).toEqual([]);
});

test('problems of an object have no line, but tell where among the settings they are', () => {
  const document = createDocument({ a: 1 }, 'defineSite', '/etc');
  expect(describeProblem(document.createProblem(['a', 0, 'x y'], 'bad', 'do good'))).toBe(
    'defineSite: a[0]["x y"]: bad (do good)',
  );
  expect(describeProblem(document.createProblem([], 'bad'))).toBe('defineSite: bad');
});

test('the environment is not expanded in an object', () => {
  expect(createDocument({ a: '${HOME}' }, 'x', '/').value).toEqual({ a: '${HOME}' });
});
