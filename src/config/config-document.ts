// A config as read: its values, and where in the text each of them stands. Made from the text of a file or from an
// object of a program; whether the values make sense is left to check-settings.

import { resolve } from 'node:path';
import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { describeSyntax, findDeepNesting } from './describe-syntax.ts';
import { type Environment, expandEnvironment } from './expand-environment.ts';
import { formatSettingPath, type SettingPath } from './setting-path.ts';

/** Which part of an entry is meant: what stands there, or the name it has in its object. */
export type EntryPart = 'value' | 'key';

/** The values of a config with their places. */
export class ConfigDocument {
  /** How the file is called in reports. */
  readonly name: string;
  /** Absolute: where relative paths in the config start. */
  readonly directory: string;
  /** Plain JSON, environment expanded. */
  readonly value: unknown;
  /** What was wrong already while reading: duplicate keys, unset environment variables. */
  readonly problems: readonly ConfigProblem[];
  readonly #text: string;
  readonly #root: Node | undefined;

  /** Use {@link parseDocument} for a text, {@link createDocument} for an object. */
  constructor(
    name: string,
    directory: string,
    source: { text: string; root: Node; environment: Environment } | { value: unknown },
  ) {
    this.name = name;
    this.directory = resolve(directory);
    const problems: ConfigProblem[] = [];
    this.problems = problems;
    if ('value' in source) {
      this.#text = '';
      this.value = source.value;
      return;
    }
    this.#text = source.text;
    this.#root = source.root;
    this.value = this.#toValue(source.root, [], source.environment, problems);
  }

  /** A problem with the value (or the key) at `path`; of what is missing, at the innermost object that is there. */
  createProblem(path: SettingPath, problem: string, hint = '', part: EntryPart = 'value'): ConfigProblem {
    const at = formatSettingPath(path);
    const node = this.#root && this.#findNode(this.#root, path, part);
    if (node === undefined)
      return { file: this.name, line: 0, column: 0, at, problem, hint, sourceLine: '', length: 0 };
    return createProblemAt(this.name, this.#text, node.offset, node.length, problem, hint, at);
  }

  #findNode(root: Node, path: SettingPath, part: EntryPart): Node {
    for (let end = path.length; end > 0; end--) {
      const node = findNodeAtLocation(root, path.slice(0, end));
      if (node === undefined) continue;
      const entry = node.parent;
      const wantsKey = part === 'key' && end === path.length && entry?.type === 'property';
      return wantsKey ? entry!.children![0] : node;
    }
    return root;
  }

  #toValue(node: Node, path: SettingPath, environment: Environment, problems: ConfigProblem[]): unknown {
    if (node.type === 'string') return this.#expand(node, path, environment, problems);
    if (node.type === 'array')
      return node.children!.map((child, i) => this.#toValue(child, [...path, i], environment, problems));
    if (node.type !== 'object') return node.value;
    const object: Record<string, unknown> = {};
    const keys = new Map<string, Node>();
    for (const { children } of node.children!) {
      const [key, value] = children!;
      const first = keys.get(key.value);
      if (first !== undefined) problems.push(this.#createDuplicate(key, first, path));
      else if (key.value === '__proto__')
        problems.push(this.#createProblemOf(key, [...path, key.value], 'this key cannot be used'));
      // The first of two wins: it is what findNodeAtLocation finds, so problems of its value stand at the right place.
      else object[key.value] = this.#toValue(value, [...path, key.value], environment, problems);
      if (first === undefined) keys.set(key.value, key);
    }
    return object;
  }

  #expand(node: Node, path: SettingPath, environment: Environment, problems: ConfigProblem[]): string {
    return expandEnvironment(node.value, environment, ({ reference, problem, hint }) => {
      const offset = this.#text.indexOf(reference, node.offset);
      const isInside = offset !== -1 && offset < node.offset + node.length;
      const place = isInside ? { offset, length: reference.length } : node;
      problems.push(this.#createProblemOf(place, path, problem, hint));
    });
  }

  #createDuplicate(key: Node, first: Node, path: SettingPath): ConfigProblem {
    const { line } = findPlace(this.#text, first.offset);
    const problem = `duplicate key ${JSON.stringify(key.value)}`;
    return this.#createProblemOf(key, [...path, key.value], problem, `the first is in line ${line}`);
  }

  #createProblemOf(place: { offset: number; length: number }, path: SettingPath, problem: string, hint = '') {
    const at = formatSettingPath(path);
    return createProblemAt(this.name, this.#text, place.offset, place.length, problem, hint, at);
  }
}

/**
 * Reads a config from JSON text with comments and trailing commas. Throws a {@link ConfigError} when it is not even
 * that; what else is wrong is kept in the document's `problems`.
 */
export function parseDocument(
  written: string,
  name: string,
  directory: string,
  environment: Environment = process.env,
): ConfigDocument {
  const text = written.startsWith('\ufeff') ? written.slice(1) : written;
  const tooDeep = findDeepNesting(text);
  const errors: ParseError[] = [];
  const root = tooDeep === null ? parseTree(text, errors, { allowTrailingComma: true }) : undefined;
  const problems = tooDeep === null ? describeSyntax(text, errors) : [tooDeep];
  if (problems.length > 0 || root === undefined)
    throw new ConfigError(
      problems.map((p) => createProblemAt(name, text, p.offset, p.length, p.problem, p.hint, '')),
    );
  return new ConfigDocument(name, directory, { text, root, environment });
}

/** A config given as an object of a program: its problems have no line. The environment is not expanded. */
export function createDocument(value: unknown, name: string, directory: string): ConfigDocument {
  return new ConfigDocument(name, directory, { value });
}

function createProblemAt(
  file: string,
  text: string,
  offset: number,
  length: number,
  problem: string,
  hint: string,
  at: string,
): ConfigProblem {
  const { line, column, sourceLine } = findPlace(text, offset);
  // Of what spans several lines only its opening bracket is marked.
  const isOneLine = column - 1 + length <= sourceLine.length;
  const marked = isOneLine
    ? Math.max(1, length)
    : Math.max(1, isBracket(text[offset]) ? 1 : sourceLine.length - column + 1);
  return { file, line, column, at, problem, hint, sourceLine, length: marked };
}

function isBracket(character: string | undefined): boolean {
  return character === '{' || character === '[';
}

function findPlace(text: string, offset: number): { line: number; column: number; sourceLine: string } {
  const lines = text.slice(0, offset).split(/\r\n?|\n/);
  const column = lines[lines.length - 1].length + 1;
  const lineStart = offset - column + 1;
  const rest = text.slice(lineStart);
  const end = rest.search(/[\r\n]/);
  return { line: lines.length, column, sourceLine: end === -1 ? rest : rest.slice(0, end) };
}
