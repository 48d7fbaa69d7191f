// What may be the name and the value of a header in the web standard (Fetch, "Headers class"), with its TypeErrors.

const token = /^[\w!#$%&'*+.^`|~-]+$/;
/** What makes a value need a second look: white space at its ends, or a character that it may not hold. */
const suspicious = /^[\t\n\r ]|[\t\n\r ]$|[\0\n\r]|[^\0-\xff]/;
const forbidden = /[\0\n\r]|[^\0-\xff]/;

/** The name as text. Throws a TypeError for what is no field name (RFC 9110 5.1). */
export function checkHeaderName(name: unknown): string {
  const text = typeof name === 'string' ? name : `${name}`;
  if (!token.test(text)) throw new TypeError(`${JSON.stringify(text)} is no header name`);
  return text;
}

/** The value as text, white space at its ends removed. Throws a TypeError for NUL, CR, LF, and what is beyond latin1. */
export function checkHeaderValue(value: unknown): string {
  const text = typeof value === 'string' ? value : `${value}`;
  if (!suspicious.test(text)) return text;
  const trimmed = trimEnds(text);
  if (forbidden.test(trimmed)) throw new TypeError('a header value holds a character that it may not hold');
  return trimmed;
}

/** By hand: a regular expression for the end of a text takes the square of its length. */
function trimEnds(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
