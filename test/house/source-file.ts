// The files of src/ as the house rules look at them: a path, a text, and the syntax tree on demand.
// Rules are functions over such files, so each can be shown to fail on a planted one.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/** The root of the repository, with a trailing slash. */
export const repositoryRoot = new URL('../../', import.meta.url).pathname;

/** A node of the syntax tree (ESTree with TypeScript's additions), as far as rules need to know it. */
export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** One file of src/. */
export interface SourceFile {
  /** Below src/, with slashes: "http1/parse-request-head.ts". */
  readonly path: string;
  readonly text: string;
  /** Every node, parents before children. Parsed once, when first asked for. */
  readonly nodes: readonly SyntaxNode[];
}

/** One import or re-export of a file, type-only ones included. */
export interface Import {
  /** As written: "./fields.ts", "node:net", "zod". */
  readonly specifier: string;
  /** Whether nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** The names taken out of it; null when it is taken as a whole (default, namespace, dynamic, re-export). */
  readonly names: readonly string[] | null;
}

/** Makes a source file of a text; rules are tried on planted ones this way. */
export function createSourceFile(path: string, text: string): SourceFile {
  let nodes: SyntaxNode[] | undefined;
  return {
    path,
    text,
    get nodes() {
      nodes ??= listNodes(parseAst(text, { lang: 'ts' }, path) as unknown as SyntaxNode);
      return nodes;
    },
  };
}

/** Every TypeScript file below src/. */
export function readSourceFiles(): SourceFile[] {
  const root = join(repositoryRoot, 'src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => createSourceFile(path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')));
}

function listNodes(root: SyntaxNode): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isNode(value)) {
      nodes.push(value);
      for (const key of Object.keys(value)) visit(value[key]);
    }
  };
  visit(root);
  return nodes;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** The imports of a file: static, re-exported, dynamic with a literal, and `import('…')` types. */
export function listImports(file: SourceFile): Import[] {
  const imports: Import[] = [];
  for (const node of file.nodes) {
    const source = (node.source ?? null) as SyntaxNode | null;
    if (source === null || typeof source.value !== 'string') continue;
    imports.push({ specifier: source.value, typeOnly: isTypeOnly(node), names: listNames(node) });
  }
  return imports;
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type') return true;
  const specifiers = (node.specifiers ?? []) as SyntaxNode[];
  return (
    node.type === 'ImportDeclaration' &&
    specifiers.length > 0 &&
    specifiers.every((specifier) => specifier.importKind === 'type')
  );
}

function listNames(node: SyntaxNode): string[] | null {
  const specifiers = (node.specifiers ?? []) as SyntaxNode[];
  if (node.type !== 'ImportDeclaration') return null;
  if (specifiers.some((specifier) => specifier.type !== 'ImportSpecifier')) return null;
  const taken = specifiers.filter((specifier) => specifier.importKind !== 'type');
  return taken.map((specifier) => String((specifier.imported as SyntaxNode).name));
}

/** The path below src/ that a relative specifier means, or null for packages and `node:` modules. */
export function resolveImport(file: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return posix.normalize(posix.join(posix.dirname(file.path), specifier));
}

/** The line of a position, from 1. */
export function findLine(file: SourceFile, position: number): number {
  let line = 1;
  for (let at = file.text.indexOf('\n'); at !== -1 && at < position; at = file.text.indexOf('\n', at + 1)) {
    line++;
  }
  return line;
}

/** The text of a node. */
export function sliceNode(file: SourceFile, node: SyntaxNode): string {
  return file.text.slice(node.start, node.end);
}
