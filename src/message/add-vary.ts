// Vary (RFC 9110 12.5.5): which fields of the request an answer depends on.

import { type Fields, hasToken, joinField, removeField } from './fields.ts';

/** Adds a field's name to Vary, in place, unless it is there or everything is. All becomes one field. */
export function addVary(fields: Fields, name: string): void {
  const value = joinField(fields, 'vary');
  if (value === undefined) {
    fields.push('Vary', name);
    return;
  }
  if (hasToken(value, '*') || hasToken(value, name.toLowerCase())) return;
  removeField(fields, 'vary');
  fields.push('Vary', `${value}, ${name}`);
}
