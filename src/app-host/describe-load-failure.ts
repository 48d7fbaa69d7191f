// Why a module could not be loaded, for whoever wrote it: one line with file, line and column, the piece of source it is
// about, and the frames of the application's own code. The ways through Node and through us say nothing to anybody.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { ApplicationError } from './application-error.ts';
import { describeThrown } from './report.ts';
import { drawFrame } from './source-frame.ts';

/** A place in a source file: lines and columns from 1, a column of 0 when it is not known. */
interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Ours is all that lies beside this room. */
const ownFolder = new URL('../', import.meta.url);

/** The report on what `import` of `file` threw. Never throws. */
export function describeLoadFailure(thrown: unknown, file: string): string {
  try {
    if (thrown instanceof ApplicationError || isLocated(thrown)) return thrown.message;
    if (thrown instanceof Error) return describeError(thrown, file);
  } catch {
    // Its members may be made to throw.
  }
  return `${file}: loading it failed: ${describeThrown(thrown)}`;
}

/** What strip-types throws begins with its place already. */
function isLocated(thrown: unknown): thrown is SyntaxError {
  return thrown instanceof SyntaxError && thrown.cause !== undefined;
}

function describeError(error: Error, file: string): string {
  const arrow = findArrow(error);
  const place = arrow ?? findFirstFrame(error) ?? findImport(error);
  // What Node adds to its own messages in further lines (a "Require stack") the frame shows better.
  const [headline, ...rest] = `${error.name}: ${error.message}`.split('\n');
  const lines = [`${place === null ? file : formatPlace(place)}: ${headline}`];
  if (findCode(error) !== 'MODULE_NOT_FOUND') lines.push(...rest);
  if (place !== null) lines.push(...drawFrame(readLines(place.file), place.line, place.column));
  // Where a syntax error was noticed is no place of the application's.
  if (arrow === null) lines.push(...listOwnFrames(error));
  if (error.cause !== undefined) lines.push(`caused by ${dropForeignFrames(describeThrown(error.cause))}`);
  return lines.join('\n');
}

function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}${column === 0 ? '' : `:${column}`}`;
}

/**
 * Where the engine, or Node's stripper of types, says a syntax error is. It stands at the head of the stack; or Node keeps
 * it beside the error, and writes it there when the error is thrown through a script.
 */
function findArrow(error: Error): Place | null {
  if (!(error instanceof SyntaxError)) return null;
  const arrow = parseArrow(error.stack ?? '');
  if (arrow !== null) return arrow;
  try {
    runInNewContext('throw error', { error }, { displayErrors: true });
  } catch {
    // The same error, its stack completed.
  }
  return parseArrow(error.stack ?? '');
}

/** "file:line", lines of the source, a line of carets. */
function parseArrow(stack: string): Place | null {
  const [head, ...lines] = stack.split('\n');
  const match = /^((?:file:\/\/)?\/.+):(\d+)$/.exec(head);
  if (match === null) return null;
  const carets = lines.slice(0, 4).find((line) => /^\s*\^+\s*$/.test(line)) ?? '';
  return { file: toPath(match[1]), line: Number(match[2]), column: carets.indexOf('^') + 1 };
}

/** The topmost frame in a file that is neither Node's nor ours. */
function findFirstFrame(error: Error): Place | null {
  const match = /\(?((?:file:\/\/)?\/[^()]+):(\d+):(\d+)\)?$/.exec(listOwnFrames(error)[0] ?? '');
  return match === null ? null : { file: toPath(match[1]), line: Number(match[2]), column: Number(match[3]) };
}

/** For a module that was not found Node names who wants it and what it is called; the line is to be looked for. */
function findImport(error: Error): Place | null {
  const match = /^Cannot find (?:package|module) '([^']+)' imported from (.+)$/m.exec(error.message);
  if (match === null) return null;
  const [, wanted, importer] = match;
  const file = toPath(importer);
  const name = wanted.slice(wanted.lastIndexOf('/') + 1);
  const pattern = /\b(?:from|import|require)\b[^'"]*(['"])([^'"]*)\1/g;
  for (const [index, text] of readLines(file).entries()) {
    for (const found of text.matchAll(pattern)) {
      const at = found.index + found[0].length - found[2].length;
      if (found[2] === wanted || found[2].endsWith(`/${name}`)) return { file, line: index + 1, column: at };
    }
  }
  return null;
}

/** The lines of an error's stack that are in files of the application, or of packages that it uses. */
export function listOwnFrames(error: Error): string[] {
  return (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !isForeignFrame(line));
}

function dropForeignFrames(stack: string): string {
  const lines = stack.split('\n');
  return lines.filter((line) => !isForeignFrame(line)).join('\n');
}

function isForeignFrame(line: string): boolean {
  return (
    /^\s+at .*(?:\bnode:|\(native\)|<anonymous>\)?$)/.test(line) ||
    (/^\s+at /.test(line) && line.includes(ownFolder.href))
  );
}

function findCode(error: Error): unknown {
  return (error as { code?: unknown }).code;
}

function toPath(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
