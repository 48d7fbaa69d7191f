// Reads one HTTP/1.1 response from its bytes, for the validator: by itself and not with http1, whose writing it judges.

/** How far it has come. `broken`: no HTTP. */
export type AnswerState = 'head' | 'body' | 'complete' | 'broken';

/** Longer bodies are counted, not kept. */
const maxKeptBytes = 2 * 1024 * 1024;

/** A response as far as it has come. */
export class AnswerReader {
  state: AnswerState = 'head';
  status = 0;
  /** Names in lower case, and values, in their order. */
  readonly fields: [name: string, value: string][] = [];
  /** What Content-Length said, or null. */
  declared: number | null = null;
  received = 0;
  /** Bytes behind the end: nobody asked for them. */
  surplus = 0;
  readonly #method: string;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #chunked = false;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;

  /** @param method of the request: no body follows the head of an answer to HEAD */
  constructor(method: string) {
    this.#method = method;
  }

  /** The values of a field. @param name in lower case */
  list(name: string): string[] {
    return this.fields.filter(([each]) => each === name).map(([, value]) => value);
  }

  /** What was kept of the body. */
  get body(): Buffer {
    return Buffer.concat(this.#kept);
  }

  /** Takes bytes as they come. */
  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#take());
    if (this.state !== 'complete') return;
    this.surplus += this.#rest.length;
    this.#rest = Buffer.alloc(0);
  }

  /** One piece. Gives whether there may be another. */
  #take(): boolean {
    if (this.state === 'head') return this.#takeHead();
    if (this.state !== 'body') return false;
    if (this.#left > 0) return this.#takeBytes();
    return this.#chunked ? this.#takeChunkHead() : false;
  }

  #takeHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const [statusLine, ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
    this.#rest = this.#rest.subarray(end + 4);
    const match = /^HTTP\/1\.1 (\d{3}) /.exec(`${statusLine} `);
    if (match === null) return this.#break();
    // An interim response: the one that counts follows.
    if (match[1].startsWith('1')) return true;
    this.status = Number(match[1]);
    for (const line of lines) {
      const field = /^([!-9;-~]+):[ \t]*(.*?)[ \t]*$/.exec(line);
      if (field === null) return this.#break();
      this.fields.push([field[1].toLowerCase(), field[2]]);
    }
    return this.#beginBody();
  }

  #beginBody(): boolean {
    const [length] = this.list('content-length');
    if (length !== undefined && !/^\d+$/.test(length)) return this.#break();
    this.declared = length === undefined ? null : Number(length);
    this.#chunked = this.list('transfer-encoding').join().toLowerCase() === 'chunked';
    const hasNone = this.#method === 'HEAD' || this.status === 204 || this.status === 304;
    // A body that ends with its connection has no place between front and instance.
    if (!hasNone && !this.#chunked && this.declared === null) return this.#break();
    this.#left = this.#chunked || hasNone ? 0 : (this.declared ?? 0);
    this.state = hasNone || (!this.#chunked && this.#left === 0) ? 'complete' : 'body';
    return this.state === 'body';
  }

  #takeChunkHead(): boolean {
    const end = this.#rest.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.#rest.toString('latin1', 0, end);
    if (!/^[\da-f]{1,8}$/i.test(line)) return this.#break();
    const size = Number.parseInt(line, 16);
    if (size > 0) {
      this.#rest = this.#rest.subarray(end + 2);
      this.#left = size + 2;
      return true;
    }
    if (this.#rest.length < end + 4) return false;
    if (this.#rest.toString('latin1', end + 2, end + 4) !== '\r\n') return this.#break();
    this.#rest = this.#rest.subarray(end + 4);
    this.state = 'complete';
    return false;
  }

  #takeBytes(): boolean {
    if (this.#rest.length === 0) return false;
    const piece = this.#rest.subarray(0, this.#left);
    this.#rest = this.#rest.subarray(piece.length);
    // The line end behind a chunk is none of its bytes.
    const end = this.#chunked ? Math.max(0, Math.min(piece.length, this.#left - 2)) : piece.length;
    this.#left -= piece.length;
    this.#keep(piece.subarray(0, end));
    if (!this.#chunked && this.#left === 0) this.state = 'complete';
    return this.state === 'body';
  }

  #keep(bytes: Buffer): void {
    this.received += bytes.length;
    if (bytes.length === 0 || this.#keptBytes > maxKeptBytes) return;
    this.#keptBytes += bytes.length;
    this.#kept.push(Buffer.from(bytes));
  }

  #break(): boolean {
    this.state = 'broken';
    return false;
  }
}
