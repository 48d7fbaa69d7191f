// Which fields of a request become variables, and how: a name has to be told from every other one when it is written as
// a variable; what a client may not say about itself, it cannot say here either.

import { type Fields, isFieldName } from '../../message/fields.ts';
import { isDroppedFromRequest, isForwardingField, listNominated } from '../../message/passed-fields.ts';

/** Any other character would become "_", or what each peer thinks of it: two names would be one variable. */
const plainName = /^[a-z0-9-]+$/;

/** Calls back for each variable that the fields of a request become: "HTTP_ACCEPT_LANGUAGE", each name once. */
export function forEachFieldVariable(
  fields: Fields,
  isTrusted: boolean,
  onVariable: (name: string, value: string) => void,
): void {
  const nominated = listNominated(fields);
  for (let i = 0; i < fields.length; i += 2) {
    const lowerName = fields[i].toLowerCase();
    if (!isPassedOn(lowerName, isTrusted)) continue;
    // Host names the site: no client has it taken away.
    if (lowerName !== 'host' && nominated?.includes(lowerName)) continue;
    const first = findFirst(fields, lowerName);
    if (first < i) continue;
    onVariable(`HTTP_${lowerName.toUpperCase().replaceAll('-', '_')}`, joinFrom(fields, i, lowerName));
  }
}

/** Content-Type has a variable of its own. */
function isPassedOn(lowerName: string, isTrusted: boolean): boolean {
  if (isDroppedFromRequest(lowerName) || lowerName === 'content-type' || !plainName.test(lowerName))
    return false;
  return isTrusted || !isForwardingField(lowerName);
}

function findFirst(fields: Fields, lowerName: string): number {
  let i = 0;
  while (!isFieldName(fields[i], lowerName)) i += 2;
  return i;
}

/** RFC 9110 5.3; cookies have a separator of their own (RFC 9113 8.2.3). */
function joinFrom(fields: Fields, first: number, lowerName: string): string {
  let joined = fields[first + 1];
  const separator = lowerName === 'cookie' ? '; ' : ', ';
  for (let i = first + 2; i < fields.length; i += 2) {
    if (isFieldName(fields[i], lowerName)) joined += separator + fields[i + 1];
  }
  return joined;
}
