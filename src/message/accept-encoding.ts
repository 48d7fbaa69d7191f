// Chooses how a body is encoded by Accept-Encoding (RFC 9110 12.5.3). What can be offered is the caller's to know.

import type { Fields } from './fields.ts';
import { joinField } from './fields.ts';

/** A content coding that is spoken here. */
export type ContentCoding = 'br' | 'zstd' | 'gzip';

/** What comes out of a choice: a coding, or the body as it is. */
export type ChosenCoding = ContentCoding | 'identity';

/** Chooses for one request. */
export type ChooseCoding = (fields: Fields) => ChosenCoding;

interface Preference {
  readonly coding: string;
  /** 0 to 1000. */
  readonly quality: number;
}

const listItem = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[\t ]*;[\t ]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/;

// Browsers send a handful of values. What is longer is read anew.
const maxKnownLength = 128;
const maxKnown = 64;
// No client needs more to name its codings: what is longer costs nothing to read.
const maxLength = 1024;

/**
 * Compiles a choice among `offered`, the best first. The highest quality wins, then the order of `offered`. A body as
 * it is has the least preference unless the field gives it a higher one, and remains when nothing else is acceptable.
 * Without the field nothing is encoded. An item that is malformed counts for nothing, and so does a field of more
 * than 1,024 characters.
 */
export function compileCodingChoice(offered: readonly ContentCoding[]): ChooseCoding {
  const known = new Map<string, ChosenCoding>();
  return (fields) => {
    const value = joinField(fields, 'accept-encoding');
    if (value === undefined || offered.length === 0) return 'identity';
    const remembered = known.get(value);
    if (remembered !== undefined) return remembered;
    if (value.length > maxLength) return 'identity';
    const chosen = chooseCoding(value, offered);
    if (value.length > maxKnownLength) return chosen;
    // Whoever sends many must not keep out what browsers send.
    if (known.size >= maxKnown) known.clear();
    known.set(value, chosen);
    return chosen;
  };
}

/** The best of `offered` for one value of Accept-Encoding: see {@link compileCodingChoice}. */
export function chooseCoding(acceptEncoding: string, offered: readonly ContentCoding[]): ChosenCoding {
  const preferences = parsePreferences(acceptEncoding);
  const find = (coding: string): number | undefined =>
    preferences.find((preference) => preference.coding === coding)?.quality;
  const others = find('*') ?? 0;
  let chosen: ChosenCoding = 'identity';
  // Only by name is a body as it is preferred to an encoded one; by "*" they are equals, and the smaller one wins.
  let best = find('identity') ?? 0;
  for (const coding of offered) {
    const quality = find(coding) ?? others;
    if (quality === 0 || quality < best || (quality === best && chosen !== 'identity')) continue;
    chosen = coding;
    best = quality;
  }
  return chosen;
}

function parsePreferences(value: string): Preference[] {
  const preferences: Preference[] = [];
  for (const item of value.toLowerCase().split(',')) {
    const match = listItem.exec(item.trim());
    if (match === null) continue;
    const coding = match[1] === 'x-gzip' ? 'gzip' : match[1];
    preferences.push({ coding, quality: Math.round(Number(match[2] ?? 1) * 1000) });
  }
  return preferences;
}
