// Request line and field lines (RFC 9112 3 and 5) from a latin1 string. Only syntax: what target, Host and the
// framing fields mean is for request-target.ts and request-framing.ts.

import type { Fields } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import { targetTable, tokenTable } from './character-tables.ts';
import { parseFieldLines } from './parse-field-lines.ts';

const space = 0x20;

/** Longest method that is taken for one: longer than any registered, short enough to end scans early. */
const maxMethodBytes = 32;

/** The limits on a head. */
export interface HeadLimits {
  /** Bytes of request line and field lines together, and of a trailer section. */
  readonly head: number;
  /** Field lines. */
  readonly fields: number;
  /** Bytes of the request target. */
  readonly target: number;
}

/** A request head as it was written. */
export class RequestHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: '1.0' | '1.1';
  readonly fields: Fields;

  constructor(method: string, target: string, httpVersion: '1.0' | '1.1', fields: Fields) {
    this.method = method;
    this.target = target;
    this.httpVersion = httpVersion;
    this.fields = fields;
  }
}

/**
 * Parses a complete head. `end` lies behind the CRLF of the last line before the empty one.
 * Throws an HttpError: TSS_REQUEST_LINE, TSS_REQUEST_TARGET, TSS_TARGET_TOO_LONG, TSS_HTTP_VERSION, TSS_FIELD_SYNTAX,
 * TSS_HEAD_TOO_LARGE.
 */
export function parseRequestHead(text: string, start: number, end: number, limits: HeadLimits): RequestHead {
  let i = start;
  while (tokenTable[text.charCodeAt(i)] === 1) i++;
  if (i === start || i - start > maxMethodBytes || text.charCodeAt(i) !== space) {
    throw new HttpError('TSS_REQUEST_LINE', 'the method is not a token followed by one space');
  }
  const method = text.slice(start, i);
  // RFC 9113 3.4: the method of the HTTP/2 preface, and of nothing else.
  if (method === 'PRI' && !text.startsWith(' HTTP/2', text.indexOf(' ', i + 1))) {
    throw new HttpError('TSS_REQUEST_LINE', 'PRI is no method of HTTP/1');
  }
  const targetStart = ++i;
  while (targetTable[text.charCodeAt(i)] === 1) i++;
  checkTargetEnd(text, targetStart, i, limits);
  const target = text.slice(targetStart, i);
  const httpVersion = parseVersion(text, i + 1);
  // "HTTP/1.1" and CRLF.
  const fields = parseFieldLines(text, i + 11, end, limits.fields);
  return new RequestHead(method, target, httpVersion, fields);
}

function checkTargetEnd(text: string, start: number, end: number, limits: HeadLimits): void {
  if (end - start > limits.target) {
    throw new HttpError('TSS_TARGET_TOO_LONG', `the target has more than ${limits.target} bytes`);
  }
  if (end === start || text.charCodeAt(end) !== space) {
    throw new HttpError('TSS_REQUEST_TARGET', 'the target is empty or holds a byte that no target may');
  }
}

function parseVersion(text: string, start: number): '1.0' | '1.1' {
  if (text.startsWith('HTTP/1.1\r\n', start)) return '1.1';
  if (text.startsWith('HTTP/1.0\r\n', start)) return '1.0';
  if (/^HTTP\/[0-9]\.[0-9]\r\n$/.test(text.slice(start, start + 10))) {
    throw new HttpError('TSS_HTTP_VERSION', `${text.slice(start, start + 8)} is not spoken here`);
  }
  throw new HttpError('TSS_REQUEST_LINE', 'the request line does not end in HTTP-version and CRLF');
}

/**
 * Whether a head that is not complete yet can still become one. Complete lines are parsed, the last one only looked
 * at: an attack or another protocol is refused at once instead of at the header timeout. Throws like
 * {@link parseRequestHead}.
 */
export function checkPartialHead(text: string, start: number, limits: HeadLimits): void {
  const firstLineEnd = text.indexOf('\r\n', start);
  if (firstLineEnd === -1) {
    checkPartialRequestLine(text, start, limits);
  } else {
    parseRequestHead(text, start, text.lastIndexOf('\r\n') + 2, limits);
    checkPartialLine(text, text.lastIndexOf('\r\n') + 2);
  }
  if (text.length - start > limits.head) {
    throw new HttpError('TSS_HEAD_TOO_LARGE', `the head has more than ${limits.head} bytes`);
  }
}

function checkPartialRequestLine(text: string, start: number, limits: HeadLimits): void {
  let i = start;
  while (tokenTable[text.charCodeAt(i)] === 1) i++;
  if (i - start > maxMethodBytes) throw new HttpError('TSS_REQUEST_LINE', 'the method is too long');
  if (i === text.length) return;
  // An empty line may come first, and its LF may still be on the way.
  if (i === start && text.slice(start) === '\r') return;
  if (i === start || text.charCodeAt(i) !== space) {
    throw new HttpError('TSS_REQUEST_LINE', 'this is not the beginning of an HTTP request');
  }
  const targetStart = ++i;
  while (targetTable[text.charCodeAt(i)] === 1) i++;
  if (i === text.length && i - targetStart <= limits.target) return;
  checkTargetEnd(text, targetStart, i, limits);
  const rest = text.slice(i);
  if (!/^ (?:H|HT|HTT|HTTP|HTTP\/|HTTP\/\d|HTTP\/\d\.|HTTP\/\d\.\d\r?)?$/.test(rest)) {
    throw new HttpError('TSS_REQUEST_LINE', 'the request line does not go on as one');
  }
}

function checkPartialLine(text: string, start: number): void {
  const lineFeed = text.indexOf('\n', start);
  const carriageReturn = text.indexOf('\r', start);
  if (lineFeed !== -1 || (carriageReturn !== -1 && carriageReturn !== text.length - 1)) {
    throw new HttpError('TSS_FIELD_SYNTAX', 'a bare CR or LF');
  }
}
