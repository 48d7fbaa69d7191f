// Where lines go: a file or standard error. Writing never blocks the process, whatever happens at the other end (a
// stopped reader, a full disk): what does not fit into the backlog is dropped and counted.

import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs';

/** Bytes that may wait for a slow reader before lines are dropped. */
const maxBacklogBytes = 1024 * 1024;
const retryMs = 50;
/** PIPE_BUF on Linux. */
const atomicBytes = 4096;

/** Takes whole lines and gets rid of them as fast as the other end allows. */
export class LogSink {
  readonly #path: string | null;
  #fd: number;
  /** A description of our own, in non-blocking mode: a write to it returns at once. */
  #nonBlocking = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  /** How many of the dropped lines the batch under way tells of. */
  #reported = 0;
  #busy = false;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /** @param path the file to append to, made if missing; null for standard error. Throws when it cannot be opened. */
  constructor(path: string | null) {
    this.#path = path;
    this.#fd = this.#open();
  }

  /** Lines lost because nobody took them, since the last line got through. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Appends a line, which ends in a newline. */
  write(line: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(line, 'utf8');
    if (this.#waitingBytes + bytes.length > maxBacklogBytes) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#busy) this.#flush();
  }

  /** Opens the file anew, after somebody moved it. Keeps the old one when that fails, and throws. */
  reopen(): void {
    if (this.#path === null || this.#closed) return;
    const old = this.#fd;
    this.#fd = this.#open();
    // A write may be under way on the old descriptor: closed only when it cannot be any more.
    this.#whenIdle(() => closeQuietly(old));
  }

  /** Resolves when everything is written, or cannot be within the time. Nothing is taken any more. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#whenIdle(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (!this.#busy && this.#fd !== 2) closeQuietly(this.#fd);
  }

  #open(): number {
    if (this.#path !== null) return openSync(this.#path, 'a', 0o640);
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    try {
      const stat = fstatSync(2);
      // Opened again, the mode is ours alone: set on descriptor 2 it would reach everybody who shares the terminal.
      if (stat.isFIFO() || stat.isCharacterDevice()) {
        const fd = openSync('/proc/self/fd/2', flags);
        this.#nonBlocking = true;
        return fd;
      }
    } catch {
      // No /proc, or no right to open: writes go through the thread pool, which may block without harm.
    }
    return 2;
  }

  #flush(): void {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      if (this.#dropped > this.#reported) this.#reportDropped();
      const bytes = this.#takeBatch();
      if (!this.#nonBlocking) {
        write(this.#fd, bytes, (error, written) => {
          if (this.#settle(error, bytes, written)) this.#flush();
        });
        return;
      }
      if (!this.#writeNow(bytes)) return;
    }
    this.#busy = false;
    const callbacks = this.#onIdle;
    this.#onIdle = [];
    for (const callback of callbacks) callback();
  }

  /** Whole lines, so few that the system writes all or nothing of them: other processes write to the same pipe. */
  #takeBatch(): Buffer {
    let count = 1;
    let bytes = this.#waiting[0].length;
    while (count < this.#waiting.length && bytes + this.#waiting[count].length <= atomicBytes) {
      bytes += this.#waiting[count++].length;
    }
    return Buffer.concat(this.#waiting.splice(0, count), bytes);
  }

  #reportDropped(): void {
    const line = `(${this.#dropped} log lines were dropped: they were not taken in time)\n`;
    const bytes = Buffer.from(line);
    this.#reported = this.#dropped;
    this.#waiting.unshift(bytes);
    this.#waitingBytes += bytes.length;
  }

  #writeNow(bytes: Buffer): boolean {
    try {
      return this.#settle(null, bytes, writeSync(this.#fd, bytes));
    } catch (caught) {
      const error = caught as NodeJS.ErrnoException;
      return this.#settle(error.code === 'EAGAIN' ? null : error, bytes, 0);
    }
  }

  /** Accounts for one write. Returns whether to go on now. */
  #settle(error: NodeJS.ErrnoException | null, bytes: Buffer, written: number): boolean {
    if (error !== null) {
      // A full disk, or a reader that is gone: the next line that gets through tells of it.
      this.#waitingBytes -= bytes.length;
      this.#dropped += countLines(bytes) - (this.#reported > 0 ? 1 : 0);
      this.#reported = 0;
      return true;
    }
    this.#waitingBytes -= written;
    if (written < bytes.length) {
      this.#waiting.unshift(bytes.subarray(written));
      setTimeout(() => this.#flush(), retryMs).unref();
      return false;
    }
    this.#dropped -= this.#reported;
    this.#reported = 0;
    return true;
  }

  #whenIdle(callback: () => void): void {
    if (this.#busy) this.#onIdle.push(callback);
    else callback();
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Already closed: that was the aim.
  }
}
