// The loader hook that lets Node 20 import .ts, .mts and .cts files. Runs on the thread that Node keeps for hooks;
// register-typescript puts it there.

import { readFile } from 'node:fs/promises';
import type { LoadFnOutput, LoadHookContext } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripTypes } from './strip-types.ts';

type NextLoad = (url: string, context?: LoadHookContext | undefined) => LoadFnOutput | Promise<LoadFnOutput>;

/** Node's `load` hook: TypeScript files become JavaScript, everything else goes on to Node. */
export async function load(url: string, context: LoadHookContext, next: NextLoad): Promise<LoadFnOutput> {
  const extension = /^file:[^?#]*\.([mc]?ts)(?:[?#]|$)/.exec(url)?.[1];
  if (extension === undefined) return next(url, context);
  const file = fileURLToPath(url);
  const format = extension === 'ts' ? await findFormat(dirname(file)) : formats[extension];
  return { format, source: stripTypes(await readFile(file, 'utf8'), file), shortCircuit: true };
}

const formats: Readonly<Record<string, 'module' | 'commonjs'>> = { mts: 'module', cts: 'commonjs' };

/** What the nearest package.json says; a module where none says anything. */
async function findFormat(directory: string): Promise<'module' | 'commonjs'> {
  try {
    const text = await readFile(join(directory, 'package.json'), 'utf8');
    return (JSON.parse(text) as { type?: unknown }).type === 'commonjs' ? 'commonjs' : 'module';
  } catch {
    const parent = dirname(directory);
    return parent === directory ? 'module' : findFormat(parent);
  }
}
