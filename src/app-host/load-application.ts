// Loads the module of an application and finds in it what the interface asks for, or says clearly what it found
// instead.

import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { GatewayFunction, GatewayObject, NodeListener } from './gateway-function.ts';

/** A loaded application. */
export type Application =
  | { readonly interface: 'fetch'; readonly handle: GatewayFunction }
  | { readonly interface: 'node'; readonly listener: NodeListener };

/** A module that is no application. The message is for whoever wrote it: no stack needed. */
export class ApplicationError extends Error {
  override readonly name = 'ApplicationError';
}

/** Imports a module (absolute path) and picks its default export. Throws an ApplicationError or what the module throws. */
export async function loadApplication(file: string, kind: 'fetch' | 'node'): Promise<Application> {
  if (/^\.[mc]?ts$/.test(extname(file))) await import('./register-typescript.ts');
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  return findApplication(module, file, kind);
}

/** The application among a module's exports. */
export function findApplication(
  module: Readonly<Record<string, unknown>>,
  file: string,
  kind: 'fetch' | 'node',
): Application {
  const found = unwrapDefault(module.default);
  if (kind === 'node') {
    if (typeof found === 'function') return { interface: 'node', listener: found as NodeListener };
    throw new ApplicationError(
      `${file}: "interface": "node" needs a default export that is a function (request, response), ` +
        `but ${describeFound(module, found)}${hasFetch(found) ? ': remove "interface", this one has fetch' : ''}`,
    );
  }
  if (hasFetch(found)) {
    return { interface: 'fetch', handle: (request, context) => found.fetch(request, context) };
  }
  if (typeof found === 'function' && !isNodeApplication(found)) {
    return { interface: 'fetch', handle: found as GatewayFunction };
  }
  const hint = isNodeApplication(found) ? ': set "interface": "node" for it' : '';
  throw new ApplicationError(
    `${file}: the default export must be a function (request, context) that returns a Response, ` +
      `or an object with such a function as "fetch", but ${describeFound(module, found)}${hint}`,
  );
}

/** CommonJS that was compiled from a module brings its default export inside another one. */
function unwrapDefault(found: unknown): unknown {
  if (typeof found !== 'object' || found === null || !('__esModule' in found)) return found;
  return (found as { default?: unknown }).default ?? found;
}

function hasFetch(found: unknown): found is GatewayObject {
  const isHolder = (typeof found === 'object' && found !== null) || typeof found === 'function';
  return isHolder && typeof (found as { fetch?: unknown }).fetch === 'function';
}

/** Express and its like: a function that can also listen. */
function isNodeApplication(found: unknown): boolean {
  return typeof found === 'function' && typeof (found as { listen?: unknown }).listen === 'function';
}

function describeFound(module: Readonly<Record<string, unknown>>, found: unknown): string {
  const names = Object.keys(module);
  if (!names.includes('default')) {
    if (names.length === 0) return 'it exports nothing';
    return `it has no default export, only ${names.slice(0, 8).join(', ')}`;
  }
  if (found === null || found === undefined) return `it is ${found}`;
  if (isNodeApplication(found)) return 'it is a Node listener (a function with "listen")';
  if (typeof found !== 'object') return `it is a ${typeof found}`;
  if (found instanceof Promise) return 'it is a promise (await it before exporting)';
  const keys = Object.keys(found).slice(0, 8);
  const name = (found as { constructor?: { name?: string } }).constructor?.name ?? 'object';
  return `it is ${name === 'Object' ? 'an object' : `a ${name}`} with ${keys.length > 0 ? keys.join(', ') : 'no members'}`;
}
