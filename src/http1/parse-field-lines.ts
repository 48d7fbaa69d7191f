// Field lines, of requests, responses and trailers alike (RFC 9112 5), strictly: no folding, no space before the
// colon, no bare CR or LF, no control bytes. What a field means is decided elsewhere.

import { type Fields, isFieldName } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import { fieldValueTable, tokenTable } from './character-tables.ts';

const colon = 0x3a;
const space = 0x20;
const tab = 0x09;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/**
 * Parses complete field lines. `text` is latin1; `end` lies behind the CRLF of the last line.
 * Throws an HttpError TSS_FIELD_SYNTAX, or TSS_HEAD_TOO_LARGE beyond `maxFields` lines.
 */
export function parseFieldLines(text: string, start: number, end: number, maxFields: number): Fields {
  const fields: Fields = [];
  let i = start;
  while (i < end) {
    const nameStart = i;
    while (tokenTable[text.charCodeAt(i)] === 1) i++;
    if (i === nameStart || text.charCodeAt(i) !== colon) throw fault(text, nameStart, i, 'name');
    const name = text.slice(nameStart, i);
    const colonAt = i++;
    let code = text.charCodeAt(i);
    while (code === space || code === tab) code = text.charCodeAt(++i);
    const valueStart = i;
    while (fieldValueTable[code] === 1) code = text.charCodeAt(++i);
    if (code !== carriageReturn || text.charCodeAt(i + 1) !== lineFeed || i + 2 > end) {
      throw fault(text, nameStart, i, 'value');
    }
    if (fields.length === maxFields * 2) {
      throw new HttpError('TSS_HEAD_TOO_LARGE', `more than ${maxFields} fields`);
    }
    if (isFramingName(name) && text.slice(colonAt, i).includes('\t'))
      throw fault(text, nameStart, colonAt, 'value');
    fields.push(name, text.slice(valueStart, trimEnd(text, valueStart, i)));
    i += 2;
  }
  return fields;
}

/**
 * Content-Length and Transfer-Encoding. A tab around their values is legal white space, but parsers differ about it, and
 * on these two fields no two parsers may differ.
 */
function isFramingName(name: string): boolean {
  if (name.length !== 14 && name.length !== 17) return false;
  const first = name.charCodeAt(0) | 0x20;
  if (first !== 0x63 && first !== 0x74) return false;
  return isFieldName(name, name.length === 14 ? 'content-length' : 'transfer-encoding');
}

function trimEnd(text: string, start: number, end: number): number {
  let last = end;
  while (last > start) {
    const code = text.charCodeAt(last - 1);
    if (code !== space && code !== tab) break;
    last--;
  }
  return last;
}

function fault(text: string, lineStart: number, at: number, part: 'name' | 'value'): HttpError {
  const byte = at < text.length ? `0x${text.charCodeAt(at).toString(16).padStart(2, '0')}` : 'end of head';
  const line = JSON.stringify(text.slice(lineStart, lineStart + 40));
  return new HttpError('TSS_FIELD_SYNTAX', `${byte} in the ${part} of field line ${line}`);
}
