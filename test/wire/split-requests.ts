// Splits bytes into requests as leniently as the most careless upstream would: bare LF ends a line, names are trimmed,
// anything like "chunked" counts, numbers are read as far as they go. If anything smuggled gets through, it is seen.

/** One request as it was seen. */
export interface SeenRequest {
  /** Request line and field lines, without line ends. */
  readonly head: readonly string[];
  /** Decoded. */
  readonly body: string;
}

/** The first request in `text` (latin1) and where it ends, or null when none is complete. */
export function splitRequest(text: string): { request: SeenRequest; end: number } | null {
  const start = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  const blank = /\r?\n\r?\n/.exec(text.slice(start));
  if (blank === null) return null;
  const head = text.slice(start, start + blank.index).split(/\r?\n/);
  const bodyStart = start + blank.index + blank[0].length;
  const coding = readValue(head, 'transfer-encoding');
  const body = /chunked/i.test(coding)
    ? readChunks(text, bodyStart)
    : readLength(text, bodyStart, Number.parseInt(readValue(head, 'content-length'), 10) || 0);
  return body === null ? null : { request: { head, body: body.content }, end: body.end };
}

/** The value of a field in a head, or "". */
export function readValue(head: readonly string[], name: string): string {
  const line = head.slice(1).find((each) => each.split(':')[0].trim().toLowerCase() === name);
  return line === undefined ? '' : line.slice(line.indexOf(':') + 1).trim();
}

function readLength(text: string, start: number, length: number): { content: string; end: number } | null {
  const end = start + length;
  return end > text.length ? null : { content: text.slice(start, end), end };
}

function readChunks(text: string, start: number): { content: string; end: number } | null {
  let content = '';
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16) || 0;
    at = lineEnd + 1;
    if (size === 0) {
      const blank = /^(?:[^\r\n]+\r?\n)*\r?\n/.exec(text.slice(at));
      return blank === null ? null : { content, end: at + blank[0].length };
    }
    if (at + size + 2 > text.length) return null;
    content += text.slice(at, at + size);
    at += size + (text[at + size] === '\r' ? 2 : 1);
  }
}
