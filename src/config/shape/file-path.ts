// Shapes of paths in the file system: relative to the folder of the config file, coming out absolute.

import { accessSync, constants, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { suggestName } from '../suggest-name.ts';
import { addProblem, type ProblemSink } from './add-problem.ts';
import { resolveConfigPath } from './base-directory.ts';

/** A path, relative to the config file. Comes out absolute. Nothing is said about whether it exists. */
export function filePath() {
  return z.string().transform(resolveFilePath);
}

/** A path of a folder that exists. Comes out absolute; symbolic links stay as they are. */
export function existingDirectory() {
  return z
    .string()
    .transform((text, context) => requireKind(text, context, 'folder', (stats) => stats.isDirectory()));
}

/** A path of a file (anything but a folder) that exists. Comes out absolute; symbolic links stay as they are. */
export function existingFile() {
  return z
    .string()
    .transform((text, context) => requireKind(text, context, 'file', (stats) => !stats.isDirectory()));
}

/** A path of a file that will be written: it may be missing, but its folder may not. Comes out absolute. */
export function writtenFile() {
  return z.string().transform((text, context) => {
    const path = resolveFilePath(text, context);
    if (path === z.NEVER) return path;
    const folder = dirname(path);
    const isThere = statIfThere(path) !== null;
    if (!isThere && statIfThere(folder) === null)
      return addProblem(context, `folder not found: ${folder}`, suggestPath(folder));
    const checked = isThere
      ? requireKind(path, context, 'file', (stats) => !stats.isDirectory())
      : requireKind(folder, context, 'folder', (stats) => stats.isDirectory());
    if (checked === z.NEVER) return checked;
    const problem = findWriteProblem(checked);
    return problem === null ? path : addProblem(context, problem);
  });
}

function findWriteProblem(path: string): string | null {
  try {
    accessSync(path, constants.W_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EROFS') return `the file system of ${path} cannot be written to`;
    return code === 'EACCES' || code === 'EPERM' ? `no permission to write to ${path}` : null;
  }
}

function resolveFilePath(text: string, context: ProblemSink): string {
  if (text === '') return addProblem(context, 'a path cannot be empty');
  if (text.includes('\0')) return addProblem(context, 'a path cannot hold a NUL character');
  return resolveConfigPath(text);
}

function requireKind(
  text: string,
  context: ProblemSink,
  kind: 'folder' | 'file',
  isKind: (stats: Stats) => boolean,
): string {
  const path = resolveFilePath(text, context);
  if (path === z.NEVER) return path;
  const stats = statIfThere(path);
  if (stats === null) return addProblem(context, `${kind} not found: ${path}`, suggestPath(path));
  if (typeof stats === 'string') return addProblem(context, `cannot look at ${path}: ${stats}`);
  if (!isKind(stats))
    return addProblem(
      context,
      `expected a ${kind}, but found a ${kind === 'file' ? 'folder' : 'file'}: ${path}`,
    );
  return path;
}

/** Facts of a path, null when nothing is there, or the error code of the system. */
function statIfThere(path: string): Stats | string | null {
  try {
    return statSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : code;
  }
}

/** A neighbour with nearly the same name, or the folder on the way that is missing too; "" when neither. */
function suggestPath(path: string): string {
  const parent = dirname(path);
  const neighbours = readNames(parent);
  if (neighbours === null)
    return parent === path ? '' : suggestPath(parent) || `there is no ${parent} either`;
  const near = suggestName(basename(path), neighbours);
  return near === null ? '' : `did you mean "${near}"?`;
}

function readNames(directory: string): string[] | null {
  try {
    return readdirSync(directory);
  } catch {
    return null;
  }
}
