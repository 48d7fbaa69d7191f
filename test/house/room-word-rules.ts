// Words that belong to one room, or a few: modules, calls and field names that nobody else may write.
// Each row says why, so that whoever meets the failure knows where to go instead.

import { findRoom, isPackage } from './import-rules.ts';
import { findLine, listImports, type SourceFile, type SyntaxNode, sliceNode } from './source-file.ts';

/** A word with the places it may stand in. */
export interface RoomWord {
  /** `module`: an import, type-only ones aside. `code`: an expression. `text`: inside a string, case kept. */
  readonly kind: 'module' | 'code' | 'text';
  readonly word: string;
  /** Rooms ("http1", "handlers/proxy"), files ("server/site-schema.ts") or name patterns ("*-shape.ts"). */
  readonly allowed: readonly string[];
  /** Names that everybody may import from the module, since they only look at what they are given. */
  readonly harmless?: readonly string[];
  readonly why: string;
}

const framing = 'only the protocol rooms frame messages';
const network = 'sockets belong to the rooms that own connections';

/** The words of this house. */
export const roomWords: readonly RoomWord[] = [
  { kind: 'text', word: 'Content-Length', allowed: ['http1'], why: framing },
  { kind: 'text', word: 'Transfer-Encoding', allowed: ['http1'], why: framing },
  {
    kind: 'code',
    word: 'process.exit',
    allowed: ['cli', 'process', 'app-host'],
    why: 'one place decides how a process ends',
  },
  {
    kind: 'code',
    word: 'process.on',
    allowed: ['cli', 'process', 'app-host'],
    why: 'signals belong to process roles',
  },
  { kind: 'code', word: 'eval', allowed: [], why: 'no code is made from text' },
  { kind: 'code', word: 'Function', allowed: [], why: 'no code is made from text' },
  {
    kind: 'module',
    word: 'zod',
    allowed: ['config', '*-shape.ts', 'server/site-schema.ts'],
    why: 'a running worker never loads zod',
  },
  { kind: 'module', word: 'jsonc-parser', allowed: ['config'], why: 'only config reads config files' },
  { kind: 'module', word: 'commander', allowed: ['cli'], why: 'only cli reads argv' },
  { kind: 'module', word: 'mime-types', allowed: ['handlers/static'], why: 'only files have an extension' },
  {
    kind: 'module',
    word: 'http-proxy',
    allowed: ['handlers/proxy'],
    why: 'it carries tunnels and nothing else',
  },
  {
    kind: 'module',
    word: '@swc/wasm-typescript',
    allowed: ['app-host'],
    why: 'only applications come as TypeScript',
  },
  { kind: 'module', word: 'node:child_process', allowed: ['process'], why: 'one room starts processes' },
  { kind: 'module', word: 'node:cluster', allowed: [], why: 'its sharing of sockets is not ours' },
  {
    kind: 'module',
    word: 'node:http',
    allowed: ['app-host'],
    harmless: ['STATUS_CODES'],
    why: 'the engine is http1; node listeners need its classes',
  },
  { kind: 'module', word: 'node:http2', allowed: [], why: 'the engine is to be our own' },
  {
    kind: 'module',
    word: 'node:net',
    allowed: ['listener', 'http1', 'mux', 'cgi', 'upstream', 'process', 'app-host'],
    harmless: ['isIP', 'isIPv4', 'isIPv6'],
    why: network,
  },
  {
    kind: 'code',
    word: 'setInterval',
    // The beat of an instance is no deadline: it is there to stop when the event loop does.
    allowed: ['base', 'process', 'app-host/vital-signs.ts'],
    why: 'deadlines sit on the timer wheel',
  },
  { kind: 'code', word: 'console', allowed: ['cli'], why: 'events go to the Log' },
];

/** Words outside the rooms they may stand in, as sentences. */
export function findStrayWords(files: readonly SourceFile[], words: readonly RoomWord[]): string[] {
  return files.flatMap((file) => words.flatMap((word) => judge(file, word)));
}

function judge(file: SourceFile, word: RoomWord): string[] {
  if (word.allowed.some((place) => isPlace(file.path, place))) return [];
  const where = findWord(file, word);
  return where === null ? [] : [`${file.path}${where} ${word.word}: ${word.why}`];
}

function isPlace(path: string, place: string): boolean {
  if (place.startsWith('*')) return path.endsWith(place.slice(1));
  return path === place || findRoom(path) === place;
}

function findWord(file: SourceFile, { kind, word, harmless = [] }: RoomWord): string | null {
  if (kind === 'module') {
    const found = listImports(file)
      .filter(({ specifier, typeOnly }) => !typeOnly && isPackage(specifier, word))
      .some(({ names }) => names === null || names.some((name) => !harmless.includes(name)));
    return found ? '' : null;
  }
  const node = file.nodes.find((node) => (kind === 'code' ? isCode(file, node, word) : isText(node, word)));
  return node === undefined ? null : `:${findLine(file, node.start)}`;
}

function isCode(file: SourceFile, node: SyntaxNode, word: string): boolean {
  if (word.includes('.')) return node.type === 'MemberExpression' && sliceNode(file, node) === word;
  // A call, a `new`, or the object of a member: `console.log`, `new Function`, `eval(…)`; not a type or a property.
  const head = (node.callee ?? node.object) as SyntaxNode | undefined;
  return head?.type === 'Identifier' && head.name === word;
}

function isText(node: SyntaxNode, word: string): boolean {
  if (node.type === 'Literal') return typeof node.value === 'string' && node.value.includes(word);
  return node.type === 'TemplateElement' && ((node.value as { raw: string }).raw ?? '').includes(word);
}
