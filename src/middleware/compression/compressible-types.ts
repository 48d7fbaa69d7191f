// Which media types shrink: text in all its forms, and the few binary formats that are not compressed already.

/** What is compressed unless a config says otherwise. Event streams are not: each would hold an encoder for hours. */
export const defaultTypes: readonly string[] = (
  'text/html text/plain text/css text/javascript text/xml text/markdown text/csv text/calendar text/vcard text/vtt ' +
  'text/cache-manifest text/x-component text/yaml application/javascript application/x-javascript application/json ' +
  'application/json5 application/jsonl application/x-ndjson application/toml application/yaml application/sql ' +
  'application/graphql application/xml application/xml-dtd application/rtf application/wasm application/x-sh ' +
  'application/vnd.apple.mpegurl application/vnd.ms-fontobject application/x-font-ttf application/pgp-keys ' +
  'font/ttf font/otf font/collection image/bmp image/x-icon image/vnd.microsoft.icon *+json *+xml'
).split(' ');

/**
 * Compiles a list of media types, in which "*" stands for any run of characters. What it gives says of a Content-Type
 * whether the list has it, without regard to parameters and letter case.
 */
export function compileTypes(types: readonly string[]): (contentType: string) => boolean {
  const exact = new Set(types.filter((type) => !type.includes('*')).map((type) => type.toLowerCase()));
  const patterns = types.filter((type) => type.includes('*')).map(toPattern);
  return (contentType) => {
    const end = contentType.indexOf(';');
    const type = (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
    return exact.has(type) || patterns.some((pattern) => pattern.test(type));
  };
}

function toPattern(type: string): RegExp {
  const [before, ...rest] = type.split('*').map((part) => part.replace(/[.+$^]/g, '\\$&'));
  // Only one "*" is a run: the shape refuses a second, which could be made to match slowly.
  return new RegExp(`^${before}.*${rest.join('')}$`, 'i');
}
