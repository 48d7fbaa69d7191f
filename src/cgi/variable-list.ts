// The variables of a request as ClientRequest.head carries them: name NUL value NUL, one after another, latin1.

import type { BodySource } from '../message/body.ts';

/** Calls back for each variable, in order. */
export function forEachVariable(list: string, onVariable: (name: string, value: string) => void): void {
  let start = 0;
  while (start < list.length) {
    const nameEnd = list.indexOf('\0', start);
    const valueEnd = list.indexOf('\0', nameEnd + 1);
    onVariable(list.slice(start, nameEnd), list.slice(nameEnd + 1, valueEnd));
    start = valueEnd + 1;
  }
}

/** The value of a variable, "" when it is not there. */
export function findVariable(list: string, wanted: string): string {
  let found = '';
  forEachVariable(list, (name, value) => {
    if (name === wanted) found = value;
  });
  return found;
}

/** CONTENT_LENGTH as an item of the list. Fails for a body of unknown length: the family has no way to send one. */
export function renderContentLength(body: BodySource | null): string {
  const length = body === null ? 0 : body.length;
  if (length === null) throw new Error('a body of unknown length for a peer of the CGI family');
  return `CONTENT_LENGTH\0${length}\0`;
}
