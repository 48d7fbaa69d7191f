import { describe, expect, test } from 'vitest';
import { findIdleExceptions, findOversized, measureFunctions, sizeExceptions } from './size-rules.ts';
import { createSourceFile, readSourceFiles } from './source-file.ts';

const files = readSourceFiles();

describe('sizes in src', () => {
  test('stay within 400 lines a file and 60 lines a function', () => {
    expect(findOversized(files, sizeExceptions)).toEqual([]);
  });

  test('have no exception that is not needed', () => {
    expect(findIdleExceptions(files, sizeExceptions)).toEqual([]);
  });

  test('have a reason for each exception', () => {
    expect(sizeExceptions.filter((exception) => exception.reason.length < 20)).toEqual([]);
  });
});

const longBody = '  a();\n'.repeat(60);

describe('a planted violation is found', () => {
  test('in a file of 401 lines', () => {
    expect(findOversized([createSourceFile('base/a.ts', '\n'.repeat(400))], [])).toEqual([]);
    expect(findOversized([createSourceFile('base/a.ts', '\n'.repeat(401))], [])).toEqual([
      'base/a.ts has 401 lines',
    ]);
  });

  test.each([
    ['named', `function f() {\n${longBody}}`, 'f'],
    ['arrow', `const f = () => {\n${longBody}};`, 'f'],
    ['method', `class A {\n  f() {\n${longBody}}\n}`, 'f'],
    ['property', `const a = { f: () => {\n${longBody}} };`, 'f'],
    ['nameless', `call(function () {\n${longBody}});`, 'anonymous'],
  ])('in a function: %s', (_, text, name) => {
    expect(findOversized([createSourceFile('base/a.ts', text)], [])).toEqual([
      `base/a.ts ${name} has 62 lines`,
    ]);
  });

  test('in an exception that became idle', () => {
    const short = [createSourceFile('base/a.ts', 'function f() {}\n')];
    expect(findIdleExceptions(short, [{ what: 'base/a.ts f', lines: 90, reason: 'one table' }])).toEqual([
      'base/a.ts f',
    ]);
  });
});

test('an exception allows as many lines as it says', () => {
  const long = [createSourceFile('base/a.ts', `function f() {\n${longBody}}`)];
  const exception = { what: 'base/a.ts f', lines: 62, reason: 'one table' };
  expect(findOversized(long, [exception])).toEqual([]);
  expect(findOversized(long, [{ ...exception, lines: 61 }])).toHaveLength(1);
});

test('braces in strings, comments and patterns do not disturb the measure', () => {
  const text = 'function f() {\n  return "}" + /\\{/ + `{`; // }\n}\nfunction g() {}\n';
  expect(measureFunctions(createSourceFile('base/a.ts', text))).toEqual([
    { name: 'f', lines: 3 },
    { name: 'g', lines: 1 },
  ]);
});
