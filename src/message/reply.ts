// What a handler answers. Only protocol rooms turn it into bytes, and they alone write the fields that frame
// a message (Content-Length, Transfer-Encoding, Connection, Keep-Alive): a handler never sets those.

import type { Duplex } from 'node:stream';
import type { BodySource } from './body.ts';
import type { Fields } from './fields.ts';
import type { HttpError } from './http-error.ts';

/**
 * The body of a reply: nothing, bytes at hand, a source to be pulled, or (status 101 only) a tunnel.
 * For HEAD and 304 a handler answers as for GET: the protocol room takes the length and leaves the bytes.
 */
export type ReplyBody =
  | null
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'stream'; source: BodySource }
  | { kind: 'tunnel'; open: TunnelOpener };

/**
 * Takes over the client's connection. Nothing was written to it yet: the opener writes its own response head.
 * `early` holds bytes the client sent after its request. The socket is flowing: whoever wants its bytes listens before
 * the opener returns, or pauses it.
 */
export type TunnelOpener = (client: Duplex, early: Uint8Array) => void;

/** A final response. */
export class Reply {
  /** 200 to 599 (or 101 with a tunnel). 1xx never comes here. */
  readonly status: number;
  /** Owned by the reply once given; may be changed by middleware on the way back unless `shared`. */
  readonly fields: Fields;
  readonly body: ReplyBody;
  /**
   * The same object answers many requests (a cached file): nobody may change it, and protocol rooms may keep
   * its rendered form in `rendered`.
   */
  readonly shared: boolean;
  /** A protocol room's own memory of this reply. Only used when `shared`. */
  rendered: unknown = null;

  constructor(status: number, fields: Fields, body: ReplyBody, shared = false) {
    this.status = status;
    this.fields = fields;
    this.body = body;
    this.shared = shared;
  }
}

/** A handler's wish to have another URI of the same site answer (nginx's internal redirect). */
export interface InternalRedirect {
  /** Path and optional query, beginning with "/", or "@name" for a named route of the same server. */
  redirectTo: string;
  /** Fields that the reply to be has in place of its own. Owned by the redirect. */
  fields?: Fields;
  /** The request was answered once already: it goes on as a GET without a body, or as the HEAD that it was. */
  asGet?: boolean;
}

/**
 * What a handler returns. An error that is nothing unusual (no such file) is rather returned than thrown, and as one
 * shared object: measured, that spares two fifths of a 404's time, as V8 walks the stack of whatever is thrown.
 */
export type Answer = Reply | InternalRedirect | HttpError;

/** A reply with a short text body. */
export function createTextReply(status: number, text: string, fields: Fields = []): Reply {
  return new Reply(status, ['Content-Type', 'text/plain; charset=utf-8', ...fields], {
    kind: 'bytes',
    bytes: Buffer.from(text, 'utf8'),
  });
}

/** The length of a reply's body in bytes, or null when only the end will tell. */
export function getReplyLength(body: ReplyBody): number | null {
  if (body === null) return 0;
  if (body.kind === 'bytes') return body.bytes.length;
  return body.kind === 'stream' ? body.source.length : null;
}
