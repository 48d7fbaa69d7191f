// Headers of several levels of a config become one record.

import type { HeaderRules } from './compile-headers.ts';

/**
 * Merges levels, outermost first: an inner level overrides a field by name, whatever its case. A null stays: it also
 * removes what a handler sets.
 */
export function mergeHeaders(...levels: readonly (HeaderRules | undefined)[]): Record<string, string | null> {
  const byName = new Map<string, readonly [name: string, value: string | null]>();
  for (const level of levels) {
    for (const [name, value] of Object.entries(level ?? {})) byName.set(name.toLowerCase(), [name, value]);
  }
  return Object.fromEntries(byName.values());
}
