import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../src/message/error-catalogue.ts';
import { findDocumentProblems, findUnknownCodes, findUnusedCodes } from './error-catalogue-rules.ts';
import { createSourceFile, readSourceFiles, repositoryRoot } from './source-file.ts';

const files = readSourceFiles();
const markdown = readFileSync(`${repositoryRoot}docs/errors.md`, 'utf8');

describe('error codes', () => {
  test('are all used', () => {
    expect(findUnusedCodes(files, errorCatalogue)).toEqual([]);
  });

  test('are all in the catalogue', () => {
    expect(findUnknownCodes(files, errorCatalogue)).toEqual([]);
  });

  test('are all explained in docs/errors.md, with their status', () => {
    expect(findDocumentProblems(markdown, errorCatalogue)).toEqual([]);
  });
});

describe('a planted violation is found', () => {
  const catalogue = { TSS_A: 400, TSS_B: 500 };
  const row = (code: string, status: number) =>
    `| \`${code}\` | ${status} | A meaning of it. | Something to do. |\n`;

  test('a code that nothing uses; a mention in a comment is no use', () => {
    const file = createSourceFile('http1/a.ts', "// TSS_B\nfail('TSS_A');");
    expect(findUnusedCodes([file], catalogue)).toEqual(['TSS_B']);
  });

  test('a code that does not exist', () => {
    const file = createSourceFile('http1/a.ts', "\nfail('TSS_C');");
    expect(findUnknownCodes([file], catalogue)).toEqual(['http1/a.ts:2 TSS_C']);
  });

  test.each([
    ['missing', row('TSS_A', 400), 'TSS_B is missing'],
    ['wrong status', row('TSS_A', 400) + row('TSS_B', 502), 'TSS_B has status 500, not 502'],
    ['twice', row('TSS_A', 400) + row('TSS_B', 500) + row('TSS_A', 400), 'TSS_A is there twice'],
    ['unknown', row('TSS_A', 400) + row('TSS_B', 500) + row('TSS_C', 400), 'TSS_C is explained'],
    ['unexplained', `${row('TSS_A', 400)}| \`TSS_B\` | 500 | | |\n`, 'TSS_B is missing'],
    ['too short', `${row('TSS_A', 400)}| \`TSS_B\` | 500 | Bad. | Hm. |\n`, 'TSS_B is not explained'],
  ])('in the document: %s', (_, text, problem) => {
    expect(findDocumentProblems(text, catalogue).join()).toContain(problem);
  });
});
