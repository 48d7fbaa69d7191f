// The access log: one line per exchange, formatted by a function compiled at load. Lines are collected for a moment
// and handed to a sink that never blocks.

import type { Exchange } from '../message/exchange.ts';
import { compileVariable, type ReadVariable } from '../message/variables.ts';
import { LogSink } from './log-sink.ts';

/** A line that is waiting is at most this old when it is handed on, in ms. */
const flushAfterMs = 100;
/** Characters collected before they are handed on at once. */
const flushAtLength = 32 * 1024;

/** One access log file. Several formats may write to it. */
export class AccessLog {
  readonly #sink: LogSink;
  #pending = '';
  #timer: NodeJS.Timeout | null = null;

  /** @param path absolute; appended to, made if missing. Throws when it cannot be opened. */
  constructor(path: string) {
    this.#sink = new LogSink(path);
  }

  /** Appends one line (without its end). */
  write(line: string): void {
    this.#pending += `${line}\n`;
    if (this.#pending.length >= flushAtLength) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushAfterMs).unref();
  }

  /** Hands on what was collected. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const pending = this.#pending;
    this.#pending = '';
    if (pending !== '') this.#sink.write(pending);
  }

  /** Opens the file anew, after a rotation moved it. Throws when that fails; the old file stays in use. */
  reopen(): void {
    this.flush();
    this.#sink.reopen();
  }

  /** Writes what is left and closes the file. */
  close(): void {
    this.flush();
    void this.#sink.close(1_000);
  }
}

/** A line for an exchange that is over. */
export type FormatLine = (exchange: Exchange) => string;

const combined =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

/** Compiles a format: "combined" or a text with variables, whose values are escaped. Throws for an unknown variable. */
export function compileLogFormat(format: string): FormatLine {
  const text = format === 'combined' ? combined : format;
  const parts = text.split(/(\$\$|\$\{[a-z0-9_]+\}|\$[a-z0-9_]+)/i).map(compilePart);
  return (exchange) => {
    let line = '';
    for (const part of parts) {
      line += typeof part === 'string' ? part : escapeValue(part(exchange));
    }
    return line;
  };
}

function compilePart(part: string): string | ReadVariable {
  if (part === '$$') return '$';
  if (!part.startsWith('$')) return part;
  const name = part.replace(/[${}]/g, '').toLowerCase();
  const read = compileVariable(name);
  if (read === null) throw new Error(`unknown variable "$${name}"`);
  return read;
}

const plainValue = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/** As nginx's default: quotes, backslashes and everything that is not visible ASCII as \xXX; "-" for nothing. */
function escapeValue(value: string): string {
  if (plainValue.test(value)) return value;
  if (value === '') return '-';
  return Buffer.from(value, 'utf8')
    .toString('latin1')
    .replace(
      /[^\x20\x21\x23-\x5b\x5d-\x7e]/g,
      (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}
