// What a file of src/ is called, how it begins, and what it may not contain.

import { findLine, type SourceFile, type SyntaxNode } from './source-file.ts';

const forbiddenNames = /^(utils?|helpers?|common|types?|misc)$|-(utils?|helpers?|misc)$/;

/** Folders and files with names that say nothing, or not in kebab-case; barrels inside rooms. */
export function findBadNames(files: readonly SourceFile[]): string[] {
  return files
    .map((file) => file.path)
    .filter((path) => path.split('/').some(isBadName) || isInnerBarrel(path));
}

function isBadName(part: string): boolean {
  const name = part.replace(/\.ts$/, '');
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return true;
  return forbiddenNames.test(name);
}

function isInnerBarrel(path: string): boolean {
  return path !== 'index.ts' && path.endsWith('index.ts') && /(^|\/)index\.ts$/.test(path);
}

/** Files that do not open with one to four lines of comment. */
export function findBadOpenings(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => {
      const lines = file.text.split('\n');
      const end = lines.findIndex((line) => !line.startsWith('// '));
      return end < 1 || end > 4;
    })
    .map((file) => file.path);
}

/** Exports of the file's own making that have no doc comment right above them. */
export function findUndocumentedExports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.nodes
      .filter((node) => node.type === 'ExportNamedDeclaration' && node.declaration !== null)
      .filter((node) => !file.text.slice(0, node.start).trimEnd().endsWith('*/'))
      .filter((node) => !isLaterOverload(file, node))
      .map((node) => `${file.path}:${findLine(file, node.start)}`),
  );
}

/** Overloads share the doc comment of the first. */
function isLaterOverload(file: SourceFile, node: SyntaxNode): boolean {
  const name = readDeclaredName(node);
  if (name === undefined) return false;
  return file.nodes.some(
    (other) =>
      other.type === 'ExportNamedDeclaration' && other.start < node.start && readDeclaredName(other) === name,
  );
}

function readDeclaredName(node: SyntaxNode): string | undefined {
  const declaration = node.declaration as SyntaxNode | null;
  if (declaration === null || !/^(TSDeclareFunction|FunctionDeclaration)$/.test(declaration.type)) {
    return undefined;
  }
  return (declaration.id as SyntaxNode | null)?.name as string | undefined;
}

/** Forbidden syntax, by node type. */
const forbiddenSyntax = new Map([
  ['TSAnyKeyword', 'any'],
  ['TSEnumDeclaration', 'enum'],
  ['TSModuleDeclaration', 'namespace'],
  ['TSParameterProperty', 'parameter property'],
  ['ExportDefaultDeclaration', 'default export'],
  ['TSExportAssignment', 'export assignment'],
]);

/** `any`, enums, namespaces, parameter properties and default exports. */
export function findForbiddenSyntax(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.nodes
      .filter((node) => forbiddenSyntax.has(node.type) && node.global !== true)
      .map((node) => `${file.path}:${findLine(file, node.start)} ${forbiddenSyntax.get(node.type)}`),
  );
}

/** Unfinished work, and promise ids, which belong into the titles of tests. V8 is taken for the engine. */
export function findForbiddenWords(files: readonly SourceFile[]): string[] {
  const pattern =
    /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)\b|(?<![\w.+-])(?!V8)[STV][1-9]\d?(?![\w.+-])/g;
  return files.flatMap((file) =>
    [...file.text.matchAll(pattern)].map(
      (match) => `${file.path}:${findLine(file, match.index)} ${match[0]}`,
    ),
  );
}
