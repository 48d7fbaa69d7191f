// How bytes of a body move between rooms: the one who wants them pulls, one chunk at a time.
// Not asking for the next chunk is the backpressure; there is nothing to pause.

/**
 * Receives what one `read` asked for, exactly once: a chunk, or `null` at the proper end, or an error
 * (then nothing follows). The receiver may keep the chunk, and never changes it: others may be given the same bytes.
 * It may be called before `read` returns.
 */
export type OnChunk = (error: Error | null, chunk: Uint8Array | null) => void;

/** A body to be read once. */
export interface BodySource {
  /** Bytes in all, or null when only the end will tell. */
  readonly length: number | null;
  /** Asks for the next chunk. Only one read may be open at a time. */
  read(onChunk: OnChunk): void;
  /** The receiver is done with a chunk: its memory may hold a later one. A favour to the source, not a duty. */
  recycle?(chunk: Uint8Array): void;
  /** Begins again with the first byte, also after a cancel. Only sources that have all their bytes can do so. */
  rewind?(): void;
  /** The reader loses interest: what feeds the source is let go. No callback after it. A second call does nothing. */
  cancel(): void;
}

/** The body of a request, with the limit that its location sets. */
export interface RequestBody extends BodySource {
  /** Most bytes that may be read, Infinity for no limit. Beyond it `read` fails with a 413 HttpError. */
  limit: number;
  /** The handler's part is over: what is left unread is the connection's business. */
  cancel(): void;
}

class EmptyRequestBody implements RequestBody {
  readonly length = 0;

  get limit(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** Nothing to limit: one object serves all requests. */
  set limit(_bytes: number) {}

  read(onChunk: OnChunk): void {
    onChunk(null, null);
  }

  cancel(): void {}
}

/** The body of every request that has none. */
export const emptyRequestBody: RequestBody = new EmptyRequestBody();
