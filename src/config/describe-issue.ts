// The issues of zod in our own words. Each becomes a finding: where, what is wrong, what to write instead.

import type { z } from 'zod';
import type { EntryPart } from './config-document.ts';
import { describeKind, describeValue, joinWords } from './describe-value.ts';
import { reduceUnion } from './reduce-union.ts';
import { getValueAt, type SettingPath } from './setting-path.ts';
import { suggestName } from './suggest-name.ts';

/** One thing that a shape has to say about a value, not yet placed in a text. */
export interface Finding {
  readonly path: SettingPath;
  readonly part: EntryPart;
  readonly problem: string;
  readonly hint: string;
  /** The key that is missing at `path`, or null when this is about something that is there. */
  readonly missing: string | null;
}

type Issue = z.core.$ZodIssue;

/**
 * An error map for zod: the message of an unknown key's issue becomes the list of the keys known there, which zod
 * tells nowhere else.
 */
export const knownKeysInMessage: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const shape = (issue.inst as z.core.$ZodObject | undefined)?._zod.def.shape;
  return Object.keys(shape ?? {}).join('\n');
};

/** Describes an issue about `root`; one issue may tell of several things. */
export function describeIssue(issue: Issue, root: unknown): Finding[] {
  const path = issue.path as SettingPath;
  const value = getValueAt(root, path);
  const find = (problem: string, hint = '', part: EntryPart = 'value'): Finding[] => [
    { path, part, problem, hint, missing: null },
  ];
  if (value === undefined && path.length > 0 && isAboutAbsence(issue)) return [describeMissing(path)];
  switch (issue.code) {
    case 'invalid_type':
      return [describeMismatch(path, value, [issue.expected], [])];
    case 'invalid_value':
      return [describeMismatch(path, value, [], issue.values)];
    case 'unrecognized_keys':
      return issue.keys.map((key) => describeUnknownKey([...path, key], key, issue.message.split('\n')));
    case 'invalid_union':
      return describeUnion(issue, root);
    case 'invalid_key':
      return issue.issues.flatMap((inner) => describeIssue({ ...inner, path: issue.path }, root)).map(toKey);
    case 'too_small':
      return find(describeBound(issue.origin, value, issue.minimum, 'least'));
    case 'too_big':
      return find(describeBound(issue.origin, value, issue.maximum, 'most'));
    case 'custom':
      return find(issue.message, typeof issue.params?.hint === 'string' ? issue.params.hint : '');
    default:
      return find(`${describeValue(value)} cannot be used here`, issue.message);
  }
}

function toKey(finding: Finding): Finding {
  return { ...finding, part: 'key' };
}

function isAboutAbsence(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union';
}

function describeMissing(path: SettingPath): Finding {
  const key = String(path[path.length - 1]);
  return { path: path.slice(0, -1), part: 'value', problem: `missing key "${key}"`, hint: '', missing: key };
}

function describeUnknownKey(path: SettingPath, key: string, known: readonly string[]): Finding {
  const near = suggestName(key, known);
  const hint = near === null ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`;
  return { path, part: 'key', problem: `unknown key "${key}"`, hint, missing: null };
}

function describeUnion(issue: z.core.$ZodIssueInvalidUnion, root: unknown): Finding[] {
  const reduced = reduceUnion(issue);
  if (reduced.kind === 'branch') {
    const branches = reduced.branches.map((issues) => issues.flatMap((inner) => describeIssue(inner, root)));
    return joinMissing(branches) ?? branches[0];
  }
  const path = issue.path as SettingPath;
  return [describeMismatch(path, getValueAt(root, path), reduced.kinds, reduced.values)];
}

/** When every branch misses just one key, any of these keys would do. */
function joinMissing(branches: readonly (readonly Finding[])[]): Finding[] | null {
  const isOneMissing = (findings: readonly Finding[]) =>
    findings.length === 1 && findings[0].missing !== null;
  if (branches.length < 2 || !branches.every(isOneMissing)) return null;
  const keys = branches.map(([finding]) => JSON.stringify(finding.missing));
  return [{ ...branches[0][0], problem: `missing key ${joinWords([...new Set(keys)])}` }];
}

function describeMismatch(
  path: SettingPath,
  value: unknown,
  kinds: readonly string[],
  values: readonly unknown[],
): Finding {
  const expected = [...values.map((allowed) => JSON.stringify(allowed)), ...kinds.map(describeKind)];
  const unique = [...new Set(expected)];
  const list = values.length > 1 && kinds.length === 0 ? `one of ${joinWords(unique)}` : joinWords(unique);
  const problem = `expected ${list || 'something else'}, but found ${describeValue(value)}`;
  return { path, part: 'value', problem, hint: suggestValue(value, kinds, values), missing: null };
}

function suggestValue(value: unknown, kinds: readonly string[], values: readonly unknown[]): string {
  const isWord = typeof value === 'number' || typeof value === 'boolean';
  if (isWord && kinds.includes('string') && kinds.length === 1) return `write it in quotes: "${value}"`;
  if (kinds.length === 1 && kinds[0] === 'array' && value !== null) return 'write it as a list, in [ ]';
  if (typeof value !== 'string') return '';
  const wantsNumber = kinds.includes('number') || kinds.includes('int');
  if (wantsNumber && /^\d+$/.test(value)) return `write it without quotes: ${value}`;
  const wantsWord = kinds.includes('boolean') || values.includes(true) || values.includes(false);
  if (wantsWord && (value === 'true' || value === 'false')) return `write it without quotes: ${value}`;
  const near = suggestName(
    value,
    values.filter((allowed) => typeof allowed === 'string'),
  );
  return near === null ? '' : `did you mean "${near}"?`;
}

function describeBound(
  origin: string,
  value: unknown,
  bound: number | bigint,
  side: 'least' | 'most',
): string {
  const found = `but found ${describeValue(value)}`;
  if (origin === 'string') {
    if (side === 'least' && Number(bound) === 1) return 'this string cannot be empty';
    return `expected at ${side} ${bound} characters, ${found}`;
  }
  if (origin === 'array' || origin === 'object' || origin === 'record') {
    const thing = origin === 'array' ? 'list' : 'object';
    if (side === 'least' && Number(bound) === 1) return `this ${thing} cannot be empty`;
    return `expected a ${thing} of at ${side} ${bound} entries`;
  }
  return `expected a number of at ${side} ${bound}, ${found}`;
}
