// Decides how long a response's body is and whether its connection may be used again (RFC 9112 6.3 and 9.3).
// Every doubt makes the response invalid: a body cut in the wrong place would become the next client's answer.

import { isFieldName } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import type { ResponseHead } from './parse-response-head.ts';
import { decideKeepAlive, parseContentLength } from './request-framing.ts';

/** The length of a response's body, and what becomes of its connection. */
export interface ResponseFraming {
  /** What ends the body: the head already did, a number of bytes, the last chunk, or the end of the connection. */
  readonly kind: 'none' | 'length' | 'chunked' | 'close';
  /** Bytes of the body; of the one that was not sent after HEAD and with 304. Null when nothing tells. */
  readonly length: number | null;
  /** Whether the peer keeps the connection open. */
  readonly keepAlive: boolean;
  /** How long the peer keeps it open, from its Keep-Alive field; null when it does not say. */
  readonly idleTimeoutMs: number | null;
}

/** Throws an HttpError TSS_UPSTREAM_RESPONSE or TSS_CONTENT_LENGTH. */
export function decideResponseFraming(method: string, head: ResponseHead): ResponseFraming {
  const { fields, httpVersion, status } = head;
  let contentLength: string | null = null;
  let coding: string | null = null;
  let connection: string | null = null;
  let idleTimeoutMs: number | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    switch (name.length) {
      case 10:
        if (isFieldName(name, 'connection'))
          connection = connection === null ? fields[i + 1] : `${connection}, ${fields[i + 1]}`;
        else if (isFieldName(name, 'keep-alive')) idleTimeoutMs = parseKeepAliveTimeout(fields[i + 1]);
        break;
      case 14:
        if (!isFieldName(name, 'content-length')) break;
        if (contentLength !== null) throw fault('two Content-Length fields');
        contentLength = fields[i + 1];
        break;
      case 17:
        if (!isFieldName(name, 'transfer-encoding')) break;
        if (coding !== null) throw fault('two Transfer-Encoding fields');
        coding = fields[i + 1];
    }
  }
  if (coding !== null) checkCoding(coding, contentLength !== null, httpVersion);
  const announced = contentLength === null ? null : parseContentLength(contentLength);
  const keepAlive = decideKeepAlive(connection, httpVersion);
  if (status === 204) {
    // Who announces a body here may send one too (RFC 9110 8.6 forbids both): the next answer would begin with it.
    const isSure = coding === null && (announced === null || announced === 0);
    return { kind: 'none', length: 0, keepAlive: keepAlive && isSure, idleTimeoutMs };
  }
  if (status === 304 || method === 'HEAD')
    return { kind: 'none', length: announced, keepAlive, idleTimeoutMs };
  if (coding !== null) return { kind: 'chunked', length: null, keepAlive, idleTimeoutMs };
  if (announced !== null) return { kind: 'length', length: announced, keepAlive, idleTimeoutMs };
  return { kind: 'close', length: null, keepAlive: false, idleTimeoutMs };
}

function checkCoding(coding: string, hasLength: boolean, httpVersion: string): void {
  if (hasLength) throw fault('both Content-Length and Transfer-Encoding');
  if (httpVersion === '1.0') throw fault('Transfer-Encoding in HTTP/1.0');
  if (coding.toLowerCase() !== 'chunked')
    throw fault(`Transfer-Encoding ${JSON.stringify(coding.slice(0, 40))}`);
}

/** "timeout=5, max=100" -> 5000; null when there is no timeout in it. */
function parseKeepAliveTimeout(value: string): number | null {
  const match = /(?:^|[,\s])timeout\s*=\s*"?([0-9]{1,9})/i.exec(value);
  return match === null ? null : Number(match[1]) * 1000;
}

function fault(detail: string): HttpError {
  return new HttpError('TSS_UPSTREAM_RESPONSE', detail);
}
