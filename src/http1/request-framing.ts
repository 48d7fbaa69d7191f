// Decides how long a request's body is and whether the connection may be used again (RFC 9112 6.3 and 9.3).
// Nobody else looks at Content-Length, Transfer-Encoding, Connection or Expect. Every doubt is a 400 and a close:
// what two parsers could read differently is how requests are smuggled.

import { hasToken, isFieldName } from '../message/fields.ts';
import { HttpError } from '../message/http-error.ts';
import type { RequestHead } from './parse-request-head.ts';

/** The length of a request's body, and what follows it. */
export interface RequestFraming {
  /** Bytes of the body; null when it is chunked. */
  readonly length: number | null;
  /** Whether the client would send another request on this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean;
}

/** What nearly every GET gets. */
const plainFraming: RequestFraming = Object.freeze({ length: 0, keepAlive: true, expectsContinue: false });

/** Throws an HttpError: TSS_CONTENT_LENGTH, TSS_TRANSFER_ENCODING, TSS_TRANSFER_CODING or TSS_EXPECT. */
export function decideRequestFraming(head: RequestHead): RequestFraming {
  const { fields, httpVersion } = head;
  let length: string | null = null;
  let coding: string | null = null;
  let expect: string | null = null;
  let connection: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    switch (name.length) {
      case 6:
        if (isFieldName(name, 'expect')) expect = join(expect, fields[i + 1]);
        break;
      case 10:
        if (isFieldName(name, 'connection')) connection = join(connection, fields[i + 1]);
        break;
      case 14:
        if (!isFieldName(name, 'content-length')) break;
        if (length !== null) throw new HttpError('TSS_CONTENT_LENGTH', 'two Content-Length fields');
        length = fields[i + 1];
        break;
      case 17:
        if (!isFieldName(name, 'transfer-encoding')) break;
        if (coding !== null) throw new HttpError('TSS_TRANSFER_ENCODING', 'two Transfer-Encoding fields');
        coding = fields[i + 1];
    }
  }
  if (length === null && coding === null && connection === null && expect === null && httpVersion === '1.1') {
    return plainFraming;
  }
  if (coding !== null) checkTransferCoding(coding, length !== null, httpVersion);
  return {
    length: coding !== null ? null : length === null ? 0 : parseContentLength(length),
    keepAlive: decideKeepAlive(connection, httpVersion),
    expectsContinue: decideExpect(expect, httpVersion),
  };
}

function join(joined: string | null, value: string): string {
  return joined === null ? value : `${joined}, ${value}`;
}

function checkTransferCoding(coding: string, hasLength: boolean, httpVersion: string): void {
  if (hasLength) throw new HttpError('TSS_TRANSFER_ENCODING', 'both Content-Length and Transfer-Encoding');
  if (httpVersion === '1.0') throw new HttpError('TSS_TRANSFER_ENCODING', 'Transfer-Encoding in HTTP/1.0');
  if (coding.toLowerCase() === 'chunked') return;
  if (/^[a-z]+\s*,\s*chunked$/i.test(coding) && !/^(?:chunked|identity)/i.test(coding)) {
    throw new HttpError(
      'TSS_TRANSFER_CODING',
      `transfer coding ${JSON.stringify(coding)} is not decoded here`,
    );
  }
  throw new HttpError('TSS_TRANSFER_ENCODING', `Transfer-Encoding ${JSON.stringify(coding.slice(0, 40))}`);
}

/** Digits only, exactly representable (RFC 9110 8.6). Shared with responses. Throws TSS_CONTENT_LENGTH. */
export function parseContentLength(value: string): number {
  const length = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(length)) {
    throw new HttpError('TSS_CONTENT_LENGTH', `Content-Length ${JSON.stringify(value.slice(0, 40))}`);
  }
  return length;
}

/** Whether the sender keeps the connection open behind this message (RFC 9112 9.3). Shared with responses. */
export function decideKeepAlive(connection: string | null, httpVersion: string): boolean {
  if (connection === null) return httpVersion === '1.1';
  if (hasToken(connection, 'close')) return false;
  return httpVersion === '1.1' || hasToken(connection, 'keep-alive');
}

function decideExpect(expect: string | null, httpVersion: string): boolean {
  // RFC 9110 10.1.1: an HTTP/1.0 client's 100-continue is ignored.
  if (expect === null || httpVersion === '1.0') return false;
  if (expect.toLowerCase() === '100-continue') return true;
  throw new HttpError('TSS_EXPECT', `Expect ${JSON.stringify(expect.slice(0, 40))}`);
}
