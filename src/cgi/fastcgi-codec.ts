// FastCGI 1.0 on the way out: a request as records. One request at a time has a connection for itself, so that its id
// is always 1. Nothing is padded: padding is for the sender to use or not (specification, 3.3).

import type { CgiCodec } from './cgi-codec.ts';
import { forEachVariable, renderContentLength } from './variable-list.ts';

/** The types of record that are sent or understood (specification, 8). */
export const recordTypes = {
  beginRequest: 1,
  abortRequest: 2,
  endRequest: 3,
  params: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
} as const;

/** The id of every request. */
export const requestId = 1;

/** The version of the protocol, in every record. */
export const fastCgiVersion = 1;

/** The most that one record holds: its length has two bytes. A multiple of 8, as the specification would have it. */
const maxRecordBytes = 65_528;

const responderRole = 1;
const keepConnectionFlag = 1;

/** Writes requests as FastCGI records. `keepsAlive` sets FCGI_KEEP_CONN. */
export function createFastCgiCodec(keepsAlive: boolean): CgiCodec {
  const flags = keepsAlive ? keepConnectionFlag : 0;
  const begin =
    renderHeader(recordTypes.beginRequest, 8) + renderBytes(0, responderRole, flags, 0, 0, 0, 0, 0);
  const noMoreParams = renderHeader(recordTypes.params, 0);
  const bodyEnd = renderHeader(recordTypes.stdin, 0);
  return {
    keepsAlive,
    renderHead: ({ head, body }) => {
      const params = renderParams(renderContentLength(body) + head);
      return `${begin}${renderRecords(recordTypes.params, params)}${noMoreParams}${body === null ? bodyEnd : ''}`;
    },
    writeChunk: (stream, chunk) => {
      let room = true;
      stream.cork();
      for (let start = 0; start < chunk.length; start += maxRecordBytes) {
        const part = chunk.length > maxRecordBytes ? chunk.subarray(start, start + maxRecordBytes) : chunk;
        stream.write(renderHeader(recordTypes.stdin, part.length), 'latin1');
        room = stream.write(part);
      }
      stream.uncork();
      return room;
    },
    bodyEnd,
    abort: renderHeader(recordTypes.abortRequest, 0),
  };
}

/** A stream of records that holds `content`, without the empty one that ends it. */
function renderRecords(type: number, content: string): string {
  let records = '';
  for (let start = 0; start < content.length; start += maxRecordBytes) {
    const part = content.slice(start, start + maxRecordBytes);
    records += renderHeader(type, part.length) + part;
  }
  return records;
}

/** Name-value pairs (specification, 3.4). */
function renderParams(list: string): string {
  let pairs = '';
  forEachVariable(list, (name, value) => {
    pairs += renderLength(name.length) + renderLength(value.length) + name + value;
  });
  return pairs;
}

function renderLength(length: number): string {
  if (length < 128) return renderBytes(length);
  return renderBytes((length >>> 24) | 0x80, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
}

function renderHeader(type: number, contentLength: number): string {
  return renderBytes(fastCgiVersion, type, 0, requestId, contentLength >> 8, contentLength & 255, 0, 0);
}

function renderBytes(...bytes: number[]): string {
  return String.fromCharCode(...bytes);
}
