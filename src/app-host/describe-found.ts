// What a module exports, in words: for a report that says what was found in the place of an application.

/** "it is an object with get, post": a predicate about the default export `found` of `module`. */
export function describeFound(module: Readonly<Record<string, unknown>>, found: unknown): string {
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

/** Express and its like: a function that can also listen. */
export function isNodeApplication(found: unknown): boolean {
  return typeof found === 'function' && typeof (found as { listen?: unknown }).listen === 'function';
}
