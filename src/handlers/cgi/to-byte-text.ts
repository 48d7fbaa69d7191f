// Texts as the CGI family carries them: bytes, one character for each.

const beyondAscii = /[^\x00-\x7f]/;

/**
 * A decoded path or any other text as the bytes of its UTF-8 form, one character each. Bytes that were not UTF-8 (lone
 * surrogates, see `Exchange.path`) become what they were.
 */
export function toByteText(text: string): string {
  if (!beyondAscii.test(text)) return text;
  let bytes = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff)
      bytes += String.fromCharCode(code - 0xdc00);
    else bytes += Buffer.from(character, 'utf8').toString('latin1');
  }
  return bytes;
}
