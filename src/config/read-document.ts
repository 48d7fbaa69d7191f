// From a file to a ConfigDocument.

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { type ConfigDocument, parseDocument } from './config-document.ts';
import { ConfigError } from './config-error.ts';
import type { Environment } from './expand-environment.ts';

/** Reads and parses a config file (UTF-8). Throws a ConfigError also for a file that cannot be read. */
export function readDocument(file: string, environment: Environment = process.env): ConfigDocument {
  const path = resolve(file);
  const name = formatFileName(path);
  return parseDocument(readText(path, name), name, dirname(path), environment);
}

/** A file as reports name it: relative to the working directory when inside it. */
export function formatFileName(file: string): string {
  const path = resolve(file);
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}

function readText(path: string, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (error) {
    const problem = describeReadError((error as NodeJS.ErrnoException).code ?? '');
    const nowhere = { line: 0, column: 0, at: '', sourceLine: '', length: 0 };
    throw new ConfigError([{ ...nowhere, file: name, problem, hint: '' }], { cause: error });
  }
}

function describeReadError(code: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'config file not found';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read the config file';
  if (code === 'EISDIR') return 'expected a config file, but found a folder';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'the config file is not UTF-8 text';
  return `cannot read the config file: ${code}`;
}
