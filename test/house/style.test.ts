import { describe, expect, test } from 'vitest';
import { createSourceFile, readSourceFiles } from './source-file.ts';
import {
  findBadNames,
  findBadOpenings,
  findForbiddenSyntax,
  findForbiddenWords,
  findUndocumentedExports,
} from './style-rules.ts';

const files = readSourceFiles();

describe('files of src', () => {
  test('have kebab-case names that say something, and no index.ts inside a room', () => {
    expect(findBadNames(files)).toEqual([]);
  });

  test('open with one to four lines of comment', () => {
    expect(findBadOpenings(files)).toEqual([]);
  });

  test('document each export', () => {
    expect(findUndocumentedExports(files)).toEqual([]);
  });

  test('hold no any, enum, namespace, parameter property or default export', () => {
    expect(findForbiddenSyntax(files)).toEqual([]);
  });

  test('hold no unfinished work and no promise ids', () => {
    expect(findForbiddenWords(files)).toEqual([]);
  });
});

describe('a planted violation is found', () => {
  const plant = (text: string, path = 'base/a.ts') => [createSourceFile(path, text)];

  test.each(['http1/utils.ts', 'http1/index.ts', 'handlers/static/index.ts', 'server/date-helpers.ts'])(
    'in the name %s',
    (path) => {
      expect(findBadNames(plant('', path))).toEqual([path]);
    },
  );

  test.each(['http1/types.ts', 'http1/parseHead.ts', 'common/a.ts', 'Base/a.ts'])(
    'in the name %s',
    (path) => {
      expect(findBadNames(plant('', path))).toEqual([path]);
    },
  );

  test.each([
    ['no comment', 'export {};\n'],
    ['a blank line first', '\n// A.\n'],
    ['five lines', '// a\n// b\n// c\n// d\n// e\n\nexport {};\n'],
  ])('in an opening: %s', (_, text) => {
    expect(findBadOpenings(plant(text))).toEqual(['base/a.ts']);
  });

  test.each([
    ['function', 'export function f() {}'],
    ['constant', '// not a doc comment\nexport const a = 1;'],
    ['type', 'export type A = string;'],
    ['second one', '/** Doc. */\nexport const a = 1;\nexport const b = 2;'],
  ])('in an export without a doc comment: %s', (_, text) => {
    expect(findUndocumentedExports(plant(text))).toHaveLength(1);
  });

  test.each([
    ['any', 'let a: any;'],
    ['any', 'const a = f as unknown as Map<string, any>;'],
    ['enum', 'enum A { b }'],
    ['namespace', 'namespace A { f(); }'],
    ['parameter property', 'class A { constructor(private readonly b: string) {} }'],
    ['default export', 'export default 1;'],
  ])('in syntax: %s', (what, text) => {
    expect(findForbiddenSyntax(plant(text))).toEqual([`base/a.ts:1 ${what}`]);
  });

  test.each(['// TODO later', '// keeps V22', '// see T9', '// @ts-ignore'])('in a word: %s', (text) => {
    expect(findForbiddenWords(plant(text))).toHaveLength(1);
  });
});

test('what looks like a violation is not taken for one', () => {
  const text = [
    '// A comment.',
    '/** Doc. */',
    'export function f(a: string): void;',
    'export function f(a: string | number): void {}',
    'export { g } from "./g.ts";',
    'const many = "any enum"; // TLS1.3, UTF-8, U+DC80, HTTP/1.1, 1T2',
  ].join('\n');
  const files = [createSourceFile('base/a.ts', text)];
  expect(findForbiddenSyntax(files)).toEqual([]);
  expect(findForbiddenWords(files)).toEqual([]);
  expect(findUndocumentedExports(files)).toEqual([]);
  expect(
    findBadNames([createSourceFile('index.ts', ''), createSourceFile('http1/parse-head.ts', '')]),
  ).toEqual([]);
});
