// Tells a file whose name holds a hash of its content, as build tools write it, from all others: that name will never
// stand for anything else. When in doubt it says no: a file taken for one by mistake would be kept for a year.

// What build tools give such names, and people seldom: a document with a date in its name is not among them.
const builtTypes = '(?:avif|css|gif|ico|jpe?g|js|json|map|mjs|mp4|otf|png|svg|ttf|wasm|webm|webp|woff2?)$';
const extensions = `(?:\\.[A-Za-z][A-Za-z0-9]{0,9}){0,2}\\.${builtTypes}`;
const hexadecimal = new RegExp(`[-._~]([0-9a-f]{8,64})${extensions}`);
// Vite, Rollup, esbuild, Astro: eight characters of base64url or base32.
const compact = new RegExp(`[-._]([A-Za-z0-9_-]{8})${extensions}`);
const builtFolder = /\/(?:_astro|_app|_next|_nuxt|assets|build|chunks|dist|immutable|static)\//;
// "IMG_2024", "version2", "2024june": what people write.
const wordAndNumber = /^(?:[A-Za-z]+[_-]?\d+|\d+[_-]?[A-Za-z]+)$/;

/** Whether the last segment of a path, which begins with "/", is the name of a fingerprinted file. */
export function isFingerprinted(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const digits = hexadecimal.exec(name)?.[1];
  if (digits !== undefined && /\d/.test(digits) && /[a-f]/.test(digits)) return !wordAndNumber.test(digits);
  const hash = compact.exec(name)?.[1];
  if (hash === undefined || wordAndNumber.test(hash) || !/[A-Z]/.test(hash)) return false;
  // What is drawn jumps between capitals, small letters and digits; words in camel case do so less.
  return countTurns(hash) >= (builtFolder.test(path) ? 2 : 4);
}

function countTurns(text: string): number {
  let turns = 0;
  for (let i = 1; i < text.length; i++) {
    if (classify(text[i]) !== classify(text[i - 1])) turns++;
  }
  return turns;
}

function classify(character: string): 'capital' | 'small' | 'digit' | 'other' {
  if (/[A-Z]/.test(character)) return 'capital';
  if (/[a-z]/.test(character)) return 'small';
  return /\d/.test(character) ? 'digit' : 'other';
}
