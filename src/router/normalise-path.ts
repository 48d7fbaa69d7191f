// The one canonical form of a request's path. Every later stage (matching, files, logs) uses it, so no two stages can
// see different paths. What goes to an upstream is the raw target, or rebuilt from this form.

import { HttpError } from '../message/http-error.ts';

/** A target taken apart. */
export interface NormalPath {
  /**
   * Decoded once, slashes merged, dot segments resolved. Bytes that are not UTF-8 appear as U+DC80..U+DCFF (as
   * Python's surrogateescape), so that two different paths never become one.
   */
  readonly path: string;
  /** Without "?"; as received. */
  readonly query: string;
}

/** Takes an origin-form target apart. Throws an HttpError TSS_PATH for a path no server should act on. */
export function normalisePath(target: string): NormalPath {
  const mark = target.indexOf('?');
  const raw = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  return { path: isNormal(raw) ? raw : resolvePath(decodePath(raw)), query };
}

const slash = 0x2f;

/** Whether nothing needs decoding, merging or resolving: true for nearly every path. */
function isNormal(raw: string): boolean {
  let previous = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === 0x25 || code < 0x20 || code > 0x7e) return false;
    // A dot segment or an empty one begins behind a slash.
    if (previous === slash && (code === slash || code === 0x2e)) return false;
    previous = code;
  }
  return raw.charCodeAt(0) === slash;
}

function decodePath(raw: string): string {
  const bytes = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    let code = raw.charCodeAt(i);
    if (code === 0x25) {
      const digits = raw.slice(i + 1, i + 3);
      if (!/^[0-9a-f]{2}$/i.test(digits))
        throw new HttpError('TSS_PATH', 'a "%" without two hexadecimal digits');
      code = Number.parseInt(digits, 16);
      i += 2;
    }
    if (code < 0x20 || code === 0x7f) throw new HttpError('TSS_PATH', 'a control byte in the path');
    bytes[length++] = code;
  }
  return decodeUtf8(bytes.subarray(0, length));
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

/** Decodes what is UTF-8 and maps each other byte to a lone surrogate. */
function decodeWithEscapes(bytes: Uint8Array): string {
  let text = '';
  let i = 0;
  while (i < bytes.length) {
    const size = sequenceLength(bytes[i]);
    const piece = size === 0 ? null : tryDecode(bytes.subarray(i, i + size));
    text += piece ?? String.fromCharCode(0xdc00 + bytes[i]);
    i += piece === null ? 1 : size;
  }
  return text;
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

function tryDecode(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Merges slashes and resolves dot segments (RFC 3986 5.2.4). Throws when they lead above the root. */
function resolvePath(path: string): string {
  if (path.charCodeAt(0) !== slash) throw new HttpError('TSS_PATH', 'a path that does not begin with "/"');
  const segments: string[] = [];
  let endsOpen = false;
  for (const segment of path.split('/')) {
    endsOpen = segment === '' || segment === '.' || segment === '..';
    if (segment === '..') {
      if (segments.pop() === undefined) throw new HttpError('TSS_PATH', 'a path that leads above the root');
    } else if (!endsOpen) {
      segments.push(segment);
    }
  }
  if (segments.length === 0) return '/';
  return `/${segments.join('/')}${endsOpen ? '/' : ''}`;
}
