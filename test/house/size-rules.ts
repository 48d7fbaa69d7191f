// How long a file and a function may be, and the exceptions with their reasons.

import { findLine, type SourceFile, type SyntaxNode } from './source-file.ts';

/** The most lines a file may have. */
export const maxFileLines = 400;

/** The most lines a function may have, from its first to its last. */
export const maxFunctionLines = 60;

/** A file or function that may be longer, and why. */
export interface SizeException {
  /** "room/file.ts", or "room/file.ts functionName". */
  readonly what: string;
  readonly lines: number;
  readonly reason: string;
}

/** What may be longer today. Each needs a reason that a reader accepts; the test fails on one that is not needed. */
export const sizeExceptions: readonly SizeException[] = [];

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Files and functions that are too long, as sentences. */
export function findOversized(files: readonly SourceFile[], exceptions: readonly SizeException[]): string[] {
  const limits = new Map(exceptions.map((exception) => [exception.what, exception.lines]));
  const problems: string[] = [];
  const judge = (what: string, lines: number, most: number): void => {
    if (lines > (limits.get(what) ?? most)) problems.push(`${what} has ${lines} lines`);
  };
  for (const file of files) {
    judge(file.path, countLines(file.text), maxFileLines);
    for (const { name, lines } of measureFunctions(file))
      judge(`${file.path} ${name}`, lines, maxFunctionLines);
  }
  return problems;
}

/** Exceptions that nothing needs any more. */
export function findIdleExceptions(
  files: readonly SourceFile[],
  exceptions: readonly SizeException[],
): string[] {
  const needed = new Set(findOversized(files, []).map((problem) => problem.replace(/ has \d+ lines$/, '')));
  return exceptions.map((exception) => exception.what).filter((what) => !needed.has(what));
}

/** Every function of a file with its lines. A nested function counts for itself and for the one around it. */
export function measureFunctions(file: SourceFile): { name: string; lines: number }[] {
  const names = nameFunctions(file.nodes);
  return file.nodes
    .filter((node) => functionTypes.has(node.type) && node.body !== null)
    .map((node) => ({
      name: names.get(node) ?? 'anonymous',
      lines: findLine(file, node.end) - findLine(file, node.start) + 1,
    }));
}

/** Names functions by what holds them: their own id, a variable, a method or a property. */
function nameFunctions(nodes: readonly SyntaxNode[]): Map<SyntaxNode, string> {
  const names = new Map<SyntaxNode, string>();
  for (const node of nodes) {
    const named = (node.id ?? node.key ?? null) as SyntaxNode | null;
    const held = functionTypes.has(node.type) ? node : ((node.init ?? node.value) as SyntaxNode | undefined);
    if (named === null || typeof named.name !== 'string' || held === undefined || held === null) continue;
    if (functionTypes.has(held.type)) names.set(held, named.name);
  }
  return names;
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
