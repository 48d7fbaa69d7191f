// Percent-encoding of single characters (RFC 3986 2.1).

/**
 * A character as "%XX" per byte of its UTF-8 form. Lone surrogates U+DC80..U+DCFF stand for bytes that were not
 * UTF-8 (see `Exchange.path`) and become those bytes again.
 */
export function percentEncode(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code >= 0xdc80 && code <= 0xdcff) return encodeByte(code - 0xdc00);
  if (code < 0x80) return encodeByte(code);
  let encoded = '';
  for (const byte of Buffer.from(character, 'utf8')) encoded += encodeByte(byte);
  return encoded;
}

function encodeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
