// What is to be done with the fields of a reply, by name, and how the rules of several levels become one set.

/** What to do with one field. `default` holds where the handler has not set it, `set` replaces, `add` comes beside. */
export interface FieldRule {
  readonly default?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
  readonly add?: readonly string[] | undefined;
  /** True: whatever the status. False: on success and redirects only. */
  readonly always?: boolean | undefined;
  /** Only on connections of this kind. */
  readonly scheme?: 'https' | undefined;
}

/** Rules by name: a template alone sets the field, null removes it. */
export type HeaderRules = Readonly<Record<string, string | null | FieldRule>>;

/**
 * Merges levels, outermost first: an inner level overrides a field by name, whatever its case, but what it only adds
 * comes to what the outer one has. A null stays: it also removes what a handler sets.
 */
export function mergeHeaders(
  ...levels: readonly (HeaderRules | undefined)[]
): Record<string, string | null | FieldRule> {
  const byName = new Map<string, readonly [name: string, rule: string | null | FieldRule]>();
  for (const level of levels) {
    for (const [name, rule] of Object.entries(level ?? {})) {
      const outer = byName.get(name.toLowerCase())?.[1];
      byName.set(name.toLowerCase(), [name, mergeRule(outer, rule)]);
    }
  }
  return Object.fromEntries(byName.values());
}

function mergeRule(
  outer: string | null | FieldRule | undefined,
  inner: string | null | FieldRule,
): string | null | FieldRule {
  if (outer === undefined || inner === null || typeof inner === 'string') return inner;
  if (inner.add === undefined || inner.set !== undefined || inner.default !== undefined) return inner;
  // Removed by the outer level, and then added: nothing of the handler's is left.
  if (outer === null) return { ...inner, set: inner.add, add: undefined };
  if (typeof outer === 'string') return { ...inner, set: [outer] };
  return {
    ...outer,
    ...inner,
    set: outer.set,
    default: outer.default,
    add: [...(outer.add ?? []), ...inner.add],
  };
}
