// Reads HTTP/1.1 replies out of bytes, with a parser that shares nothing with src/: the other opinion in every test.
// Strict where a server must be: a reply that is framed wrongly throws.

/** One reply as it was on the wire. */
export interface RawReply {
  readonly status: number;
  readonly reason: string;
  /** "HTTP/1.1" or "HTTP/1.0". */
  readonly version: string;
  /** Pairs in wire order, case kept. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** False when the bytes ended before the body did. */
  readonly complete: boolean;
}

/** Where a reply ends in the bytes, and what it is; null while its head is not there yet. */
interface Parsed {
  readonly reply: RawReply;
  readonly end: number;
}

/**
 * All replies in `bytes`. `methods` are those of the requests in order (default GET), since the reply to a HEAD has no
 * body; `closed` says that no byte will follow, which ends a body without a length. 1xx replies are listed too and
 * take no method.
 */
export function parseReplies(bytes: Buffer, methods: readonly string[] = [], closed = true): RawReply[] {
  const replies: RawReply[] = [];
  let at = 0;
  let request = 0;
  while (at < bytes.length) {
    const parsed = parseReply(bytes, at, methods[request] ?? 'GET', closed);
    if (parsed === null) break;
    replies.push(parsed.reply);
    if (parsed.reply.status >= 200) request++;
    at = parsed.end;
  }
  return replies;
}

/** The first value of a field, or undefined. */
export function readField(reply: RawReply, name: string): string | undefined {
  return reply.fields.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

function parseReply(bytes: Buffer, start: number, method: string, closed: boolean): Parsed | null {
  const headEnd = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (headEnd === -1) {
    if (closed) throw new Error(`not a reply head: ${JSON.stringify(bytes.toString('latin1', start))}`);
    return null;
  }
  const [statusLine, ...lines] = bytes.toString('latin1', start, headEnd).split('\r\n');
  const status = /^(HTTP\/1\.[01]) ([1-5]\d\d) ([\t -~\x80-\xff]*)$/.exec(statusLine);
  if (status === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const fields = lines.map(parseFieldLine);
  const head = { status: Number(status[2]), reason: status[3], version: status[1], fields };
  const body = parseBody(bytes, headEnd + 4, head.status, fields, method, closed);
  return { reply: { ...head, body: body.content, complete: body.complete }, end: body.end };
}

function parseFieldLine(line: string): [string, string] {
  const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*$/.exec(line);
  if (parts === null) throw new Error(`not a field line: ${JSON.stringify(line)}`);
  return [parts[1], parts[2]];
}

interface Body {
  readonly content: Buffer;
  readonly end: number;
  readonly complete: boolean;
}

function parseBody(
  bytes: Buffer,
  start: number,
  status: number,
  fields: readonly (readonly [string, string])[],
  method: string,
  closed: boolean,
): Body {
  const list = (name: string) =>
    fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const lengths = list('content-length');
  const codings = list('transfer-encoding');
  if (lengths.length > 1) throw new Error('more than one Content-Length');
  if (lengths.length > 0 && codings.length > 0) throw new Error('Content-Length beside Transfer-Encoding');
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    return { content: Buffer.alloc(0), end: start, complete: true };
  }
  if (codings.length > 0) {
    if (codings.join() !== 'chunked') throw new Error(`Transfer-Encoding is ${codings.join()}`);
    return parseChunks(bytes, start);
  }
  if (lengths.length > 0) {
    if (!/^\d+$/.test(lengths[0])) throw new Error(`Content-Length is ${lengths[0]}`);
    const end = start + Number(lengths[0]);
    return { content: bytes.subarray(start, end), end, complete: end <= bytes.length };
  }
  return { content: bytes.subarray(start), end: bytes.length, complete: closed };
}

function parseChunks(bytes: Buffer, start: number): Body {
  const chunks: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd === -1) return { content: Buffer.concat(chunks), end: bytes.length, complete: false };
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    const end = lineEnd + 2 + size;
    if (end + 2 > bytes.length) {
      return { content: Buffer.concat(chunks), end: bytes.length, complete: false };
    }
    if (bytes.toString('latin1', end, end + 2) !== '\r\n')
      throw new Error('a chunk that does not end in CRLF');
    if (size === 0) return { content: Buffer.concat(chunks), end: end + 2, complete: true };
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
