// Every error code that tsserve can log for a request, with the status a client sees.
// A test holds this table against the code and against docs/errors.md.

/** The codes and their default statuses. */
export const errorCatalogue = {
  // The request is not HTTP as RFC 9110 and 9112 define it.
  TSS_REQUEST_LINE: 400,
  TSS_REQUEST_TARGET: 400,
  TSS_HTTP_VERSION: 505,
  TSS_FIELD_SYNTAX: 400,
  TSS_HOST: 400,
  TSS_CONTENT_LENGTH: 400,
  TSS_TRANSFER_ENCODING: 400,
  TSS_TRANSFER_CODING: 501,
  TSS_CHUNK_SYNTAX: 400,
  TSS_PATH: 400,
  TSS_EXPECT: 417,
  // The request is more than the limits allow.
  TSS_TARGET_TOO_LONG: 414,
  TSS_HEAD_TOO_LARGE: 431,
  TSS_BODY_TOO_LARGE: 413,
  // The client took too long.
  TSS_HEADER_TIMEOUT: 408,
  TSS_BODY_TIMEOUT: 408,
  // Well formed, but not to be had.
  TSS_METHOD: 405,
  TSS_NOT_FOUND: 404,
  TSS_FORBIDDEN: 403,
  TSS_NO_ROUTE: 404,
  TSS_REDIRECT_LOOP: 500,
  // Upstream.
  TSS_UPSTREAM_UNAVAILABLE: 503,
  TSS_UPSTREAM_BUSY: 503,
  TSS_UPSTREAM_ADDRESS: 502,
  TSS_UPSTREAM_CONNECT: 502,
  TSS_UPSTREAM_CONNECT_TIMEOUT: 504,
  TSS_UPSTREAM_CLOSED: 502,
  TSS_UPSTREAM_TIMEOUT: 504,
  TSS_UPSTREAM_RESPONSE: 502,
  // The client left.
  TSS_CLIENT_CLOSED: 499,
  // Our own fault.
  TSS_OVERLOADED: 503,
  TSS_BUFFER_FULL: 503,
  TSS_BUFFER_FILE: 500,
  TSS_FILE_READ: 500,
  TSS_BUG: 500,
} as const;

/** One of the catalogue's codes. */
export type ErrorCode = keyof typeof errorCatalogue;
