// Paths as the system knows them: bytes. `Exchange.path` keeps bytes that are not UTF-8 as lone surrogates.

const loneByte = /[\udc80-\udcff]/u;
const beyondAscii = /[\x80-\xff]/;
const everyBeyondAscii = /[\x80-\xff]/g;

/** A path to hand to node:fs: the text itself, or bytes when it holds some that are not UTF-8. */
export function toFilePath(path: string): string | Buffer {
  return loneByte.test(path) ? toPathBytes(path) : path;
}

/** A path as a string with one character per byte, comparable with what node:fs gives as 'latin1'. */
export function toByteString(path: string): string {
  return toPathBytes(path).toString('latin1');
}

function toPathBytes(path: string): Buffer {
  if (!loneByte.test(path)) return Buffer.from(path, 'utf8');
  const bytes: number[] = [];
  for (const character of path) {
    if (loneByte.test(character)) bytes.push(character.charCodeAt(0) - 0xdc00);
    else bytes.push(...Buffer.from(character, 'utf8'));
  }
  return Buffer.from(bytes);
}

/** The path of a byte string, the form in which `Exchange.path` would have it. */
export function fromByteString(bytes: string): string {
  if (!beyondAscii.test(bytes)) return bytes;
  const raw = Buffer.from(bytes, 'latin1');
  const text = raw.toString('utf8');
  if (!text.includes('\ufffd') || Buffer.from(text, 'utf8').equals(raw)) return text;
  return bytes.replace(everyBeyondAscii, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}
