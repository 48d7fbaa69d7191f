// Which script a path names, and what of the path is left for it. Whether there is such a script is script-folder's
// to say.

import type { CgiSettings } from './cgi-shape.ts';

/** A path taken apart. Both parts are decoded. */
export interface ScriptPath {
  /** SCRIPT_NAME. */
  readonly name: string;
  /** PATH_INFO. */
  readonly info: string;
}

/** Compiles the rule of one route. */
export function compileScriptPath(settings: CgiSettings): (path: string) => ScriptPath {
  const { index, peerRoot, root, script, scriptName, splitPathInfo } = settings;
  if (root === null && peerRoot === null) return (path) => mount(path, scriptName);
  if (script !== null) {
    const only = { name: script, info: '' };
    return () => only;
  }
  return (path) => splitPath(path, splitPathInfo) ?? { name: addIndex(path, index), info: '' };
}

/** A prefix ends where a segment does: "/app" is in "/app/x", not in "/apple". */
function mount(path: string, prefix: string): ScriptPath {
  const isInside =
    path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f);
  return isInside ? { name: prefix, info: path.slice(prefix.length) } : { name: '', info: path };
}

/** Byte for byte: no folding of letter case, which can change lengths and with them the place of the cut. */
function splitPath(path: string, extensions: readonly string[]): ScriptPath | null {
  if (extensions.length === 0) return null;
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
    const name = path.slice(0, end);
    if (extensions.some((extension) => isScriptName(name, extension))) return { name, info: path.slice(end) };
  }
  return null;
}

function isScriptName(name: string, extension: string): boolean {
  return name.endsWith(extension) && name.charCodeAt(name.length - extension.length - 1) !== 0x2f;
}

function addIndex(path: string, index: string | null): string {
  return index !== null && path.endsWith('/') ? path + index : path;
}
