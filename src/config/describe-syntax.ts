// What jsonc-parser has to say about a text that is not JSON, in plain words and at the place where to look.

import { createScanner, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { suggestName } from './suggest-name.ts';

/** Something wrong with the text, at an offset of it. */
export interface SyntaxProblem {
  readonly offset: number;
  readonly length: number;
  readonly problem: string;
  readonly hint: string;
}

// Deeper than any config, shallow enough for every recursive reader.
const deepestNesting = 64;
const mostProblems = 10;
const endOfText = 17;

/** The problems of a text worth reading: the first of each line, for the others mostly follow from it. */
export function describeSyntax(text: string, errors: readonly ParseError[]): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const lastOffset = text.trimEnd().length;
  let lineEnd = -1;
  let previous = '';
  for (const error of errors) {
    const code = printParseErrorCode(error.error);
    // A value is missing where there was something else in its place; and at the end of the text something always
    // is, once something was wrong before.
    const isConsequence =
      error.offset <= lineEnd ||
      (code === 'ValueExpected' && previous === 'InvalidSymbol') ||
      (problems.length > 0 && error.offset >= lastOffset);
    previous = code;
    if (isConsequence) continue;
    problems.push(describe(text, code, error.offset, error.length));
    lineEnd = text.indexOf('\n', error.offset);
    if (lineEnd === -1 || problems.length === mostProblems) break;
  }
  return problems;
}

/** Brackets nested so deep that no config can mean it, or null. To be asked before a recursive reader is. */
export function findDeepNesting(text: string): SyntaxProblem | null {
  const open = findOpenBrackets(text, deepestNesting);
  if (open.length <= deepestNesting) return null;
  const problem = `nested more than ${deepestNesting} levels deep`;
  return { offset: open[deepestNesting], length: 1, problem, hint: '' };
}

function describe(text: string, code: string, offset: number, length: number): SyntaxProblem {
  const token = text.slice(offset, offset + length);
  const found =
    token === '' ? 'the file ends here' : `found ${token.length > 40 ? `${token.slice(0, 40)}…` : token}`;
  const here = (problem: string, hint = '') => ({ offset, length: Math.max(1, length), problem, hint });
  switch (code) {
    case 'InvalidSymbol':
      return here(`${token} is not JSON`, suggestSymbol(text, token, offset));
    case 'PropertyNameExpected':
      return here(`expected a key in double quotes, but ${found}`);
    case 'ValueExpected':
      if (text.trim() === '') return here('the file is empty', 'the smallest config is {}');
      return here(`expected a value, but ${found}`);
    case 'ColonExpected':
      return here(`expected ":" after the key, but ${found}`);
    case 'CommaExpected':
      return describeMissingComma(text, offset, here, found);
    case 'CloseBraceExpected':
    case 'CloseBracketExpected':
      return describeOpenBracket(text) ?? here(`expected a closing bracket, but ${found}`);
    case 'EndOfFileExpected':
      return here(`expected the end of the file, but ${found}`, 'a config is one object');
    case 'UnexpectedEndOfComment':
      return here('this comment is never closed', 'it ends with */');
    case 'UnexpectedEndOfString':
      return here('this string is never closed', 'a string ends with " on the same line');
    case 'UnexpectedEndOfNumber':
      return here(`${token} is not a complete number`);
    case 'InvalidCharacter':
      return here('a control character inside a string', 'write a tab as \\t, a line end as \\n');
    default:
      return describeBadEscape(text, offset, length);
  }
}

function suggestSymbol(text: string, token: string, offset: number): string {
  const end = offset + token.length;
  if (text.slice(0, offset).trim() === '') return 'a config is JSON: it begins with {';
  if (token.startsWith("'")) return 'strings are written in double quotes';
  if (token === ';') return 'entries are separated by commas';
  if (/^\s*:/.test(text.slice(end, end + 100)))
    return `keys are written in double quotes: ${JSON.stringify(token)}`;
  const near = suggestName(token, ['true', 'false', 'null']);
  if (near !== null) return `did you mean ${near}?`;
  return /^[\w./-]+$/.test(token) ? `strings are written in double quotes: ${JSON.stringify(token)}` : '';
}

function describeMissingComma(
  text: string,
  offset: number,
  here: (problem: string, hint?: string) => SyntaxProblem,
  found: string,
): SyntaxProblem {
  if (/\d/.test(text[offset - 1] ?? '') && /\d/.test(text[offset] ?? ''))
    return here('a number cannot begin with 0', 'leave the zero out, or write it as a string');
  return here(`expected a comma or a closing bracket, but ${found}`, describeStillOpen(text, offset));
}

/** Of a closing bracket that does not fit: which one it would have to close. */
function describeStillOpen(text: string, offset: number): string {
  if (text[offset] !== '}' && text[offset] !== ']') return '';
  const open = findOpenBrackets(text.slice(0, offset)).at(-1);
  if (open === undefined) return '';
  const line = text.slice(0, open).split(/\r\n?|\n/).length;
  return `the ${text[open]} in line ${line} is still open`;
}

function describeOpenBracket(text: string): SyntaxProblem | null {
  const offset = findOpenBrackets(text).at(-1);
  if (offset === undefined) return null;
  return { offset, length: 1, problem: `this ${text[offset]} is never closed`, hint: '' };
}

function describeBadEscape(text: string, offset: number, length: number): SyntaxProblem {
  const token = text.slice(offset, offset + length);
  // Pairs of backslashes are skipped, so that the one found is the one that escapes.
  const match = /^(?:[^\\]|\\["\\/bfnrt]|\\u[0-9a-f]{4})*/i.exec(token)!;
  const written = token.slice(match[0].length, match[0].length + 2);
  const problem = `${written} means nothing in a string`;
  return { offset: offset + match[0].length, length: 2, problem, hint: 'a backslash is written \\\\' };
}

/** Offsets of the brackets that are open at the end of the text, or as soon as there are more than `most`. */
function findOpenBrackets(text: string, most = Number.POSITIVE_INFINITY): number[] {
  const scanner = createScanner(text, true);
  const open: number[] = [];
  while ((scanner.scan() as number) !== endOfText && open.length <= most) {
    const character = text[scanner.getTokenOffset()];
    if (character === '{' || character === '[') open.push(scanner.getTokenOffset());
    if (character === '}' || character === ']') open.pop();
  }
  return open;
}
