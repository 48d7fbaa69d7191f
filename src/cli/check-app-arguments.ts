// The command line of `tsserve check-app`.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/shape/duration.ts';
import { ArgumentError } from './parse-arguments.ts';

/** A parsed command line. */
export interface CheckAppArguments {
  /** The module, as written. */
  readonly file: string;
  /** Each begins with "/". */
  readonly paths: readonly string[];
  readonly interface: 'fetch' | 'node';
  readonly env: Readonly<Record<string, string>>;
  /** As written; the current folder by default. */
  readonly cwd: string;
  /** How long each thing may take: loading, a response, its body, ending. */
  readonly timeoutMs: number;
  readonly json: boolean;
}

const defaultTimeoutMs = 10_000;

/** @param words behind "check-app". Throws an {@link ArgumentError}, also for --help, with exit code 0. */
export function parseCheckAppArguments(words: readonly string[]): CheckAppArguments {
  let printed = '';
  const program = createProgram((text) => {
    printed += text;
  });
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new ArgumentError(printed.trimEnd(), error.exitCode === 0 ? 0 : 2);
  }
  const options = program.opts<{
    interface: CheckAppArguments['interface'];
    env?: Record<string, string>;
    cwd?: string;
    timeout?: number;
    json?: boolean;
  }>();
  const [file, ...paths] = program.args;
  for (const path of paths) checkPath(path);
  return {
    file,
    paths: paths.length === 0 ? ['/'] : [...new Set(paths)],
    interface: options.interface,
    env: options.env ?? {},
    cwd: options.cwd ?? '.',
    timeoutMs: options.timeout ?? defaultTimeoutMs,
    json: options.json ?? false,
  };
}

function createProgram(print: (text: string) => void): Command {
  const kind = new Option('--interface <kind>', 'what the module exports').choices(['fetch', 'node']);
  return new Command('tsserve check-app')
    .description(
      'Holds an application to the interface of docs/gateway.md, and names the rules that it breaks.',
    )
    .argument('<file>', 'the module of the application')
    .argument(
      '[paths...]',
      'what to ask it for (default: /). It is sent GET, HEAD, POST, OPTIONS and PROPFIND',
    )
    .addOption(kind.default('fetch'))
    .option('--env <name=value>', 'a variable of its environment; may be given again', addVariable)
    .option('--cwd <folder>', 'its working directory (default: this one)')
    .option('--timeout <duration>', 'what one thing may take (default: 10s)', parseTimeout)
    .option('--json', 'print the report as JSON')
    .helpOption('-h, --help', 'print this and exit')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print });
}

function addVariable(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=\0]+)=([^\0]*)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('A variable is written NAME=VALUE.');
  return { ...before, [name]: value };
}

function parseTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms > 0 && ms < 2 ** 31) return ms;
  throw new InvalidArgumentError('Write a number and a unit, such as "500ms" or "5s".');
}

function checkPath(path: string): void {
  if (/^\/[!"$-~]*$/.test(path)) return;
  throw new ArgumentError(
    `error: ${JSON.stringify(path)} is no path: one begins with "/", ends before any "#", and has ASCII only`,
  );
}
