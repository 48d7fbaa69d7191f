// Status line and field lines of a response (RFC 9112 4 and 5) from a latin1 string. Only syntax: what the framing
// fields mean is for response-framing.ts.

import type { Fields } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import { fieldValueTable } from './character-tables.ts';
import { parseFieldLines } from './parse-field-lines.ts';

const space = 0x20;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** The limits on a response head and on a trailer section. */
export interface ResponseLimits {
  /** Bytes of status line and field lines together. */
  readonly head: number;
  /** Field lines. */
  readonly fields: number;
}

/** A response head as it was written. The reason phrase is dropped: it means nothing (RFC 9112 4). */
export class ResponseHead {
  /** 100 to 599. */
  readonly status: number;
  readonly httpVersion: '1.0' | '1.1';
  readonly fields: Fields;

  constructor(status: number, httpVersion: '1.0' | '1.1', fields: Fields) {
    this.status = status;
    this.httpVersion = httpVersion;
    this.fields = fields;
  }
}

/**
 * Parses a complete head. `end` lies behind the CRLF of the last line before the empty one.
 * Throws an HttpError: TSS_UPSTREAM_RESPONSE, and what {@link parseFieldLines} throws.
 */
export function parseResponseHead(text: string, start: number, end: number, maxFields: number): ResponseHead {
  const httpVersion = text.startsWith('HTTP/1.1 ', start) ? '1.1' : '1.0';
  if (httpVersion === '1.0' && !text.startsWith('HTTP/1.0 ', start)) throw fault(text, start);
  const status =
    readDigit(text, start + 9) * 100 + readDigit(text, start + 10) * 10 + readDigit(text, start + 11);
  if (!(status >= 100 && status <= 599)) throw fault(text, start);
  // The space behind the code is often left out along with the reason. Nothing can be read into that.
  let i = start + 12;
  if (text.charCodeAt(i) === space) i++;
  else if (text.charCodeAt(i) !== carriageReturn) throw fault(text, start);
  while (fieldValueTable[text.charCodeAt(i)] === 1) i++;
  if (text.charCodeAt(i) !== carriageReturn || text.charCodeAt(i + 1) !== lineFeed) throw fault(text, start);
  return new ResponseHead(status, httpVersion, parseFieldLines(text, i + 2, end, maxFields));
}

/** NaN for anything that is no digit. */
function readDigit(text: string, at: number): number {
  const digit = text.charCodeAt(at) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
}

/** Whether an incomplete head can still become one, so that another protocol is noticed at its first bytes. */
export function canBecomeResponse(text: string): boolean {
  return text.length >= 7 ? text.startsWith('HTTP/1.') : 'HTTP/1.'.startsWith(text);
}

function fault(text: string, start: number): HttpError {
  const line = JSON.stringify(text.slice(start, start + 40));
  return new HttpError('TSS_UPSTREAM_RESPONSE', `the response begins with ${line}`);
}
