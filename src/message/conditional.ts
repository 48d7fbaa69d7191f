// Conditional requests: the preconditions of RFC 9110 13.1 in the order of 13.2.2.
// Whether there is anything to be conditional about (a 200 without them) is for the caller to find out first.

import { hasEntityTag, isSameStrongTag } from './entity-tag.ts';
import { type Fields, isFieldName, joinField } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** What a representation can be told by. */
export interface Validators {
  /** An entity tag with its quotes, or null when there is none. */
  readonly entityTag: string | null;
  /** Whole seconds since the epoch, or null. */
  readonly lastModified: number | null;
}

/** What follows from the preconditions: answer as usual, 304, or 412. */
export type PreconditionResult = 'proceed' | 'not-modified' | 'failed';

/** Whether a request carries Range or any precondition: if not, none of this need be looked at. */
export function isConditional(fields: Fields): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    const first = name.charCodeAt(0) | 0x20;
    if (first === 0x69) {
      if ((name.charCodeAt(1) | 0x20) === 0x66) return true;
    } else if (first === 0x72 && isFieldName(name, 'range')) return true;
  }
  return false;
}

/** Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD. */
export function evaluatePreconditions(fields: Fields, current: Validators): PreconditionResult {
  const ifMatch = joinField(fields, 'if-match');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, current.entityTag, 'strong')) return 'failed';
  } else if (isModifiedSince(joinField(fields, 'if-unmodified-since'), current) === true) return 'failed';

  const ifNoneMatch = joinField(fields, 'if-none-match');
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, current.entityTag, 'weak') ? 'not-modified' : 'proceed';
  }
  return isModifiedSince(joinField(fields, 'if-modified-since'), current) === false
    ? 'not-modified'
    : 'proceed';
}

/**
 * Whether Range may be obeyed under the request's If-Range, if any (RFC 9110 13.1.5). Tags are compared strongly.
 * A date must be the exact one, of a representation that has not changed for a second.
 */
export function allowsRange(fields: Fields, current: Validators): boolean {
  const ifRange = joinField(fields, 'if-range');
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) {
    return current.entityTag !== null && isSameStrongTag(ifRange, current.entityTag);
  }
  const date = parseHttpDate(ifRange);
  return date !== null && date === current.lastModified && date < Math.floor(Date.now() / 1000) - 1;
}

function matches(list: string, entityTag: string | null, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  return entityTag !== null && hasEntityTag(list, entityTag, comparison);
}

/** Null when the date is none, or there is nothing to compare it with: the condition is then ignored. */
function isModifiedSince(date: string | undefined, current: Validators): boolean | null {
  if (date === undefined || current.lastModified === null) return null;
  const since = parseHttpDate(date);
  return since === null ? null : current.lastModified > since;
}
