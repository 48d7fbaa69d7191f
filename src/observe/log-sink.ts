// Where lines go: a file, standard error or standard output. Writing never blocks the process, whatever happens at the other end (a
// stopped reader, a full disk): what does not fit into the backlog is dropped and counted.

import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs';

/** Bytes that may wait for a slow reader before lines are dropped. */
const maxBacklogBytes = 1024 * 1024;
const retryMs = 50;
/** PIPE_BUF on Linux: so much is written as a whole or not at all. */
const atomicBytes = 4096;
const fileBatchBytes = 64 * 1024;

/**
 * How to write without blocking. direct: a pipe or terminal in non-blocking mode, tried again when it is full. stream:
 * a standard stream that is a socket, left to Node. pool: a file, which only the disk can hold up, from another thread.
 */
type Manner = 'direct' | 'stream' | 'pool';

/** As a config names it. It cannot always be opened by that name: a supervisor may have given us a socket. */
const standardOutput = '/dev/stdout';

/** Sinks with something under way. */
const busySinks = new Set<LogSink>();

/** Resolves when nothing is on its way to any log, or after so long: before a process ends. */
export async function settleLogSinks(timeoutMs: number): Promise<void> {
  await Promise.all([...busySinks].map((sink) => sink.settle(timeoutMs)));
}

/** Takes whole lines and gets rid of them as fast as the other end allows. */
export class LogSink {
  readonly #path: string | null;
  #fd: number;
  #manner: Manner = 'pool';
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  /** How many of the dropped lines the batch under way tells of. */
  #reported = 0;
  #busy = false;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /**
   * @param path the file to append to, made if missing; null for standard error, "/dev/stdout" for standard output.
   *   Throws when it cannot be opened.
   */
  constructor(path: string | null) {
    this.#path = path === standardOutput ? null : path;
    this.#fd = path === null ? 2 : 1;
    if (this.#path === null) this.#openStandardStream(this.#fd);
    else this.#openFile(this.#path);
  }

  /** Lines lost because nobody took them, since the last line got through. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Appends a line, or several; the last one ends in a newline too. */
  write(lines: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(lines, 'utf8');
    if (this.#waitingBytes + bytes.length > maxBacklogBytes) {
      this.#dropped += countLines(bytes);
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
    this.#openFile(this.#path);
    // A write may be under way on the old descriptor: closed only when it cannot be any more.
    this.#whenIdle(() => closeQuietly(old));
  }

  /** Resolves when nothing is under way, or after so long. */
  settle(timeoutMs: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#whenIdle(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Resolves when everything is written, or cannot be within the time. Nothing is taken any more. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    await this.settle(timeoutMs);
    if (!this.#busy && this.#fd > 2) closeQuietly(this.#fd);
  }

  #openFile(path: string): void {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
    this.#fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o640);
    this.#manner = fstatSync(this.#fd).isFile() ? 'pool' : 'direct';
  }

  #openStandardStream(number: number): void {
    try {
      const stat = fstatSync(number);
      if (stat.isFile()) return;
      this.#manner = 'stream';
      if (!stat.isFIFO() && !stat.isCharacterDevice()) return;
      // Opened again, the mode is ours alone: set on the descriptor itself it would reach everybody who shares the terminal.
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      this.#fd = openSync(`/proc/self/fd/${number}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
      this.#manner = 'direct';
    } catch {
      // No such stream, no /proc, or no right to open: Node's own stream serves.
    } finally {
      if (this.#manner === 'stream') this.#nodeStream.on('error', ignore);
    }
  }

  get #nodeStream(): NodeJS.WriteStream {
    return this.#fd === 1 ? process.stdout : process.stderr;
  }

  #flush(): void {
    this.#busy = true;
    busySinks.add(this);
    while (this.#waiting.length > 0) {
      if (this.#dropped > this.#reported) this.#reportDropped();
      const bytes = this.#takeBatch();
      if (this.#manner !== 'direct') {
        this.#writeLater(bytes);
        return;
      }
      if (!this.#writeNow(bytes)) return;
    }
    this.#busy = false;
    busySinks.delete(this);
    const callbacks = this.#onIdle;
    this.#onIdle = [];
    for (const callback of callbacks) callback();
  }

  #writeLater(bytes: Buffer): void {
    const onWritten = (error: Error | null | undefined, written: number): void => {
      if (this.#account(error ?? null, bytes, written)) this.#flush();
    };
    if (this.#manner === 'stream') this.#nodeStream.write(bytes, (error) => onWritten(error, bytes.length));
    else write(this.#fd, bytes, onWritten);
  }

  /** Whole lines, so few that the system writes all or nothing of them: other processes write to the same pipe. */
  #takeBatch(): Buffer {
    const limit = this.#manner === 'pool' ? fileBatchBytes : atomicBytes;
    let count = 1;
    let bytes = this.#waiting[0].length;
    while (count < this.#waiting.length && bytes + this.#waiting[count].length <= limit) {
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
      return this.#account(null, bytes, writeSync(this.#fd, bytes));
    } catch (caught) {
      const error = caught as NodeJS.ErrnoException;
      return this.#account(error.code === 'EAGAIN' ? null : error, bytes, 0);
    }
  }

  /** Accounts for one write. Returns whether to go on now. */
  #account(error: Error | null, bytes: Buffer, written: number): boolean {
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

function ignore(): void {}

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
