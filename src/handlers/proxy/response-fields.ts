// The fields that a client gets of an upstream's answer: without what ends at this hop, and changed as the route's
// settings say. A route without such settings has a plain copy made.

import type { Exchange } from '../../message/exchange.ts';
import type { Fields } from '../../message/fields.ts';
import { copyResponseFields, isDroppedFromResponse, listNominated } from '../../message/passed-fields.ts';
import type { ProxySettings } from './proxy-shape.ts';
import { compileCookies } from './rewrite-cookies.ts';
import { type ChangeFields, compileRedirect } from './rewrite-redirect.ts';
import { type ChooseUpstream, compileSplitCookie } from './split-traffic.ts';

/** The fields for the client, made of those of the upstream. */
export type ReadResponseFields = (exchange: Exchange, fields: Fields) => Fields;

/** Compiles the settings of a route that speak of response fields. `readHost` gives the Host the upstream saw. */
export function compileResponseFields(
  settings: ProxySettings,
  readHost: (exchange: Exchange) => string,
  chooseUpstream: ChooseUpstream | null,
): ReadResponseFields {
  const copy = compileCopy(settings.hideHeaders, settings.passHeaders);
  const changes: ChangeFields[] = [];
  const { split } = settings;
  const own = split === null || chooseUpstream === null ? null : compileSplitCookie(split, chooseUpstream);
  for (const change of [compileRedirect(settings, readHost), compileCookies(settings), own])
    if (change !== null) changes.push(change);
  if (changes.length === 0) return (_, fields) => copy(fields);
  return (exchange, fields) => {
    const kept = copy(fields);
    for (const change of changes) change(exchange, kept);
    return kept;
  };
}

function compileCopy(hidden: readonly string[], passed: readonly string[]): (fields: Fields) => Fields {
  if (hidden.length === 0 && passed.length === 0) return copyResponseFields;
  const hiddenNames = new Set(hidden.map((name) => name.toLowerCase()));
  const passedNames = new Set(passed.map((name) => name.toLowerCase()));
  return (fields) => {
    const nominated = listNominated(fields);
    const kept: Fields = [];
    for (let i = 0; i < fields.length; i += 2) {
      const lowerName = fields[i].toLowerCase();
      if (nominated?.includes(lowerName)) continue;
      if (hiddenNames.has(lowerName) || (isDroppedFromResponse(lowerName) && !passedNames.has(lowerName)))
        continue;
      kept.push(fields[i], fields[i + 1]);
    }
    return kept;
  };
}
