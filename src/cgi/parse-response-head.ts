// The head of a CGI response (RFC 3875 6): field lines, one of them perhaps the status. Lines end in LF or CRLF, as
// scripts write them; in everything else it is as strict as HTTP itself.

import { type Fields, isFieldName } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';

/** What a script says before its body. */
export interface CgiHead {
  /** 200 to 599. */
  readonly status: number;
  /** Without Status, which is no field of HTTP. */
  readonly fields: Fields;
  /** The body's length as announced, or null. */
  readonly contentLength: number | null;
}

const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const notFieldValue = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Parses a complete head: `text` is latin1 and ends behind the end of its last line. A status line of HTTP, as uWSGI
 * writes one, is taken where `mayHaveStatusLine`. Throws an HttpError TSS_UPSTREAM_RESPONSE.
 */
export function parseCgiHead(text: string, mayHaveStatusLine: boolean, maxFields: number): CgiHead {
  const fields: Fields = [];
  let status: number | null = null;
  let contentLength: number | null = null;
  let start = 0;
  if (mayHaveStatusLine && text.startsWith('HTTP/')) {
    const line = readLine(text, 0);
    status = parseStatus(/^HTTP\/1\.[01] (.*)$/s.exec(line)?.[1] ?? '');
    start = text.indexOf('\n') + 1;
  }
  const isFinal = status !== null;
  while (start < text.length) {
    const line = readLine(text, start);
    start = text.indexOf('\n', start) + 1;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon < 1 || notToken.test(name)) throw fault(`the line ${quote(line)} is no field`);
    const value = trimSpace(line.slice(colon + 1));
    if (isFieldName(name, 'status')) {
      if (isFinal) continue;
      if (status !== null) throw fault('two Status fields');
      status = parseStatus(value);
      continue;
    }
    if (isFieldName(name, 'content-length')) {
      if (contentLength !== null) throw fault('two fields that tell the length of the body');
      contentLength = parseLength(value);
    }
    if (fields.length === maxFields * 2) throw fault(`more than ${maxFields} fields`);
    fields.push(name, value);
  }
  if (status === null && fields.length === 0) throw fault('a head without any field');
  return { status: status ?? findDefaultStatus(fields), fields, contentLength };
}

/** RFC 3875 6.2.3: who only says where to go means 302. A path there sends the client as well, as in nginx. */
function findDefaultStatus(fields: Fields): number {
  for (let i = 0; i < fields.length; i += 2) if (isFieldName(fields[i], 'location')) return 302;
  return 200;
}

function readLine(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  const line = text.slice(start, text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
  if (notFieldValue.test(line)) throw fault(`the line ${quote(line)} holds a control byte`);
  return line;
}

/** "404 Not Found" or "404". */
function parseStatus(value: string): number {
  const digits = value.slice(0, 3);
  const isStatus = /^[2-5][0-9][0-9]$/.test(digits) && (value.length === 3 || value[3] === ' ');
  if (!isStatus) throw fault(`the status ${quote(value)}`);
  return Number(digits);
}

function parseLength(value: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw fault(`a body of ${quote(value)} bytes`);
  return Number(value);
}

/** Spaces and tabs at both ends; a no-break space is a part of the value. */
function trimSpace(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

function fault(detail: string): HttpError {
  return new HttpError('TSS_UPSTREAM_RESPONSE', detail);
}
