// The error log: events of the server, one line each, in nginx's form. Which levels are kept and where lines go comes
// from the settings and may change at a reload; how they get there without blocking is the sink's business.

import type { Log, LogLevel } from '../base/log.ts';
import { LogSink } from './log-sink.ts';

/** What the config says of the error log. */
export interface ErrorLogTarget {
  /** Absolute path; null for standard error. */
  readonly path: string | null;
  /** The least severe level to keep. */
  readonly level: LogLevel;
}

const severities: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  notice: 2,
  warn: 3,
  error: 4,
  crit: 5,
};

const linePattern = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[[a-z]+\] \d+#0: /;

/** A line longer than this is cut: characters. */
const maxMessageLength = 16 * 1024;

/** Writes events as "2026/11/23 04:55:01 [error] 4711#0: message". */
export class ErrorLog {
  #target: ErrorLogTarget;
  #sink: LogSink;

  /** Throws when the file cannot be opened. */
  constructor(target: ErrorLogTarget) {
    this.#target = target;
    this.#sink = new LogSink(target.path);
  }

  /** The settings in force. */
  get target(): ErrorLogTarget {
    return this.#target;
  }

  /** The function that other rooms are given. Text of several lines becomes several lines of the log. */
  readonly log: Log = (level, message) => {
    if (severities[level] < severities[this.#target.level]) return;
    const prefix = `${formatTime(new Date())} [${level}] ${process.pid}#0: `;
    const text = typeof message === 'string' ? message : message();
    for (const line of text.split('\n')) {
      if (line !== '') this.#sink.write(`${prefix}${formatMessage(line)}\n`);
    }
  };

  /** Writes a line of another process's error log as it is, and labels anything else that process says. */
  readonly passOn = (line: string, source: string): void => {
    if (linePattern.test(line)) this.#sink.write(`${line}\n`);
    else this.log('warn', `[${source}] ${line}`);
  };

  /** Follows new settings. Throws when the new file cannot be opened; then the old one stays in use. */
  configure(target: ErrorLogTarget): void {
    if (target.path !== this.#target.path) {
      const old = this.#sink;
      this.#sink = new LogSink(target.path);
      void old.close(1000);
    }
    this.#target = target;
  }

  /** Opens the file anew, after a rotation moved it. Goes on with the old one when that fails, and says so. */
  reopen(): void {
    try {
      this.#sink.reopen();
    } catch (error) {
      this.log('error', `cannot reopen the error log: ${(error as Error).message}`);
    }
  }

  /** Resolves when everything is written, or after `timeoutMs`. */
  close(timeoutMs = 1000): Promise<void> {
    return this.#sink.close(timeoutMs);
  }
}

/** Control characters as visible escapes: a peer's bytes must not steer the terminal of whoever reads the log. */
function formatMessage(line: string): string {
  const cut = line.length > maxMessageLength ? `${line.slice(0, maxMessageLength)} [...]` : line;
  return cut.replace(
    /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
