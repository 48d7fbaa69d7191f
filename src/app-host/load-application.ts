// Loads the module of an application and finds in it what the interface asks for, or says clearly what it found
// instead.

import { statSync } from 'node:fs';
import type { Server } from 'node:http';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ApplicationError } from './application-error.ts';
import { describeFound, isNodeApplication } from './describe-found.ts';
import type {
  GatewayClose,
  GatewayFunction,
  GatewayInit,
  GatewayObject,
  NodeListener,
} from './gateway-function.ts';

/** A loaded application. */
export type Application =
  | { readonly interface: 'fetch'; readonly handle: GatewayFunction }
  | { readonly interface: 'node'; readonly listener: NodeListener | Server };

/** What a module wants to be called for beside requests. */
export interface ApplicationHooks {
  readonly init: GatewayInit | null;
  readonly close: GatewayClose | null;
}

/** A module's exports by name. */
type Exports = Readonly<Record<string, unknown>>;

/** Imports a module (absolute path). Throws an ApplicationError for what is no module, or what the module throws. */
export async function loadModule(file: string): Promise<Exports> {
  const extension = extname(file);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ApplicationError(`${file}: this is a folder: name the module in it`);
  }
  if (!/^\.[mc]?[jt]s$/.test(extension)) {
    throw new ApplicationError(
      `${file}: ${extension === '' ? 'a name without extension' : `"${extension}"`} is no module: ` +
        'an application is a .js, .mjs, .cjs, .ts, .mts or .cts file',
    );
  }
  if (/^\.[mc]?ts$/.test(extension)) await import('./register-typescript.ts');
  return (await import(pathToFileURL(file).href)) as Exports;
}

/** The application among a module's exports. Throws an ApplicationError. */
export function findApplication(module: Exports, file: string, kind: 'fetch' | 'node'): Application {
  const found = unwrapDefault(module.default);
  if (kind === 'node') return { interface: 'node', listener: checkNodeListener(module, found, file) };
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

/** The hooks among a module's exports. Throws an ApplicationError for one that is no function. */
export function findHooks(module: Exports, file: string): ApplicationHooks {
  return {
    init: findHook(module, file, 'init') as GatewayInit | null,
    close: findHook(module, file, 'close') as GatewayClose | null,
  };
}

function findHook(module: Exports, file: string, name: string): unknown {
  const hook = module[name];
  if (hook === undefined || typeof hook === 'function') return hook ?? null;
  throw new ApplicationError(
    `${file}: the export "${name}" must be a function, but it is ${hook === null ? 'null' : `a ${typeof hook}`}`,
  );
}

function checkNodeListener(module: Exports, found: unknown, file: string): NodeListener | Server {
  if (isServer(found)) {
    if (!found.listening) return found;
    throw new ApplicationError(
      `${file}: the server of the default export listens already: leave out its listen()`,
    );
  }
  if (typeof found === 'function') return found as NodeListener;
  const hint = hasFetch(found) ? ': remove "interface", this one has fetch' : findListenerHint(found);
  throw new ApplicationError(
    `${file}: "interface": "node" needs a default export that is a function (request, response), ` +
      `but ${describeFound(module, found)}${hint}`,
  );
}

/** Frameworks whose application is no listener, but has one. */
function findListenerHint(found: unknown): string {
  const { callback, routing } = (found ?? {}) as { callback?: unknown; routing?: unknown };
  if (typeof callback === 'function') return ': export its callback()';
  if (typeof routing === 'function') return ': await its ready(), and export its routing';
  return '';
}

/** By its members: node:http need not be loaded for it. */
function isServer(found: unknown): found is Server {
  if (typeof found !== 'object' || found === null) return false;
  const { emit, listen, closeIdleConnections } = found as Partial<Server>;
  return [emit, listen, closeIdleConnections].every((member) => typeof member === 'function');
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
