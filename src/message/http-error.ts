// The one way to fail a request. Becomes a Reply only in server/error-reply.ts.

import { type ErrorCode, errorCatalogue } from './error-catalogue.ts';
import type { Fields } from './fields.ts';

/** What an {@link HttpError} may have besides. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Default false. */
  readonly shared?: boolean;
}

/** A request that cannot be answered as asked. The detail goes to the log, never to the client. */
export class HttpError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** What happened, for the operator. */
  readonly detail: string;
  /** Fields the error reply must carry (Allow on a 405, Retry-After on a 503). */
  readonly fields: Fields;
  /** The same object fails many requests: nobody may change it, and its reply may be kept. */
  readonly shared: boolean;

  /** `status` is the catalogue's for `code`. */
  constructor(code: ErrorCode, detail: string, fields: Fields = [], options?: HttpErrorOptions) {
    // Where it was thrown says nothing that the detail does not, and capturing it cost half of a 404's time.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`${code}: ${detail}`, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'HttpError';
    this.code = code;
    this.status = errorCatalogue[code];
    this.detail = detail;
    this.fields = fields;
    this.shared = options?.shared ?? false;
  }
}
