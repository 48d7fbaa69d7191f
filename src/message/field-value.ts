// Makes a safe field value of a text that was computed from a request (RFC 9110 5.5).

import { percentEncode } from './percent-encoding.ts';

const unsafe = /[^\t\x20-\x7e]/u;
const everyUnsafe = /[^\t\x20-\x7e]/gu;

/**
 * A text as a field value: controls and everything beyond ASCII percent-encoded, white space at the ends removed.
 * A character beyond latin1 would lose its upper bits on the wire, and could turn into a line end there.
 */
export function toFieldValue(text: string): string {
  return text.replace(everyUnsafe, percentEncode).trim();
}

/** Whether a text can be a field value as it is: visible ASCII, spaces and tabs, none of them at the ends. */
export function isFieldValue(text: string): boolean {
  return !unsafe.test(text) && text.trim() === text;
}
