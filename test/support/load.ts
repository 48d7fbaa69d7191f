// A keep-alive load over raw sockets, in this process: so many requests over so many connections, and what became of
// each. Nothing is retried: a request without its whole answer is a failure.

import { connect, type Socket } from 'node:net';
import { parseReplies, type RawReply, readField } from './parse-replies.ts';

/** What to ask, how often. */
export interface LoadOptions {
  readonly port: number;
  /** Request target. Default "/". */
  readonly path?: string;
  readonly requests: number;
  /** Requests that are sent in a second, all connections together. Default: each as soon as the one before is answered. */
  readonly perSecond?: number;
  /** Default 16. */
  readonly connections?: number;
  /** Field lines besides Host, without line ends. */
  readonly fields?: readonly string[];
  /** The reply field whose values are counted. */
  readonly countField?: string;
  /** Called after each answer or failure with the number of those so far, and the value of `countField`. */
  readonly onProgress?: (done: number, value: string) => void;
  /** A request without an answer after so long is a failure. Default 10 000 ms. */
  readonly timeoutMs?: number;
}

/** What became of a load. */
export interface LoadResult {
  /** Answers by status. */
  readonly statuses: Record<number, number>;
  /** One sentence for each request without a whole answer. */
  readonly failures: readonly string[];
  /** Answers by value of `countField`. */
  readonly counts: Record<string, number>;
  /** The longest time from request to whole answer. */
  readonly slowestMs: number;
  readonly seconds: number;
}

/** Runs a load to its end. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const run = new LoadRun(options);
  const startedAtMs = performance.now();
  await Promise.all(Array.from({ length: options.connections ?? 16 }, () => run.runConnection()));
  return {
    statuses: run.statuses,
    failures: run.failures,
    counts: run.counts,
    slowestMs: run.slowestMs,
    seconds: (performance.now() - startedAtMs) / 1000,
  };
}

class LoadRun {
  readonly statuses: Record<number, number> = {};
  readonly failures: string[] = [];
  readonly counts: Record<string, number> = {};
  slowestMs = 0;
  readonly #options: LoadOptions;
  readonly #request: Buffer;
  readonly #startedAtMs = performance.now();
  #left: number;
  #done = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#left = options.requests;
    const lines = [`GET ${options.path ?? '/'} HTTP/1.1`, `Host: 127.0.0.1:${options.port}`];
    this.#request = Buffer.from(`${[...lines, ...(options.fields ?? [])].join('\r\n')}\r\n\r\n`, 'latin1');
  }

  /** One connection after the other until no request is left. */
  async runConnection(): Promise<void> {
    while (this.#left > 0) await this.#runSocket();
  }

  #runSocket(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(this.#options.port, '127.0.0.1');
      socket.setNoDelay(true);
      let pending: Buffer = Buffer.alloc(0);
      let sentAtMs = 0;
      let waiting = false;
      const end = (): void => {
        socket.destroy();
        resolve();
      };
      const fail = (why: string): void => {
        if (waiting) this.#count(() => this.failures.push(why));
        waiting = false;
        end();
      };
      const next = (): void => {
        if (this.#left === 0) {
          end();
          return;
        }
        this.#left--;
        waiting = true;
        const waitMs = this.#getWaitMs();
        if (waitMs > 0) setTimeout(send, waitMs);
        else send();
      };
      const send = (): void => {
        sentAtMs = performance.now();
        socket.write(this.#request);
      };
      socket.setTimeout(this.#options.timeoutMs ?? 10_000, () => fail('no answer in time'));
      socket.once('connect', next);
      socket.on('data', (chunk: Buffer) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const reply = this.#parse(pending, fail);
        if (reply === null) return;
        pending = Buffer.alloc(0);
        waiting = false;
        this.#countReply(reply, performance.now() - sentAtMs);
        if (readField(reply, 'connection')?.toLowerCase() === 'close') end();
        else next();
      });
      socket.once('error', (error) => this.#failSocket(socket, error, waiting, fail));
      socket.once('close', () => fail('the connection ended before the answer did'));
    });
  }

  /** A connection that was never made takes a request with it, or a dead server would be asked for ever. */
  #failSocket(socket: Socket, error: Error, waiting: boolean, fail: (why: string) => void): void {
    if (!waiting && socket.bytesWritten === 0 && this.#left > 0) {
      this.#left--;
      this.#count(() => this.failures.push(error.message));
    }
    fail(error.message);
  }

  /** How long the next request is to wait for its turn. */
  #getWaitMs(): number {
    const { perSecond, requests } = this.#options;
    if (perSecond === undefined) return 0;
    return this.#startedAtMs + ((requests - this.#left) * 1000) / perSecond - performance.now();
  }

  #parse(bytes: Buffer, fail: (why: string) => void): RawReply | null {
    try {
      const [reply] = parseReplies(bytes, [], false);
      return reply?.complete ? reply : null;
    } catch (error) {
      fail(String(error));
      return null;
    }
  }

  #countReply(reply: RawReply, elapsedMs: number): void {
    this.slowestMs = Math.max(this.slowestMs, elapsedMs);
    const { countField } = this.#options;
    const value = (countField === undefined ? undefined : readField(reply, countField)) ?? '';
    this.#count(() => {
      this.statuses[reply.status] = (this.statuses[reply.status] ?? 0) + 1;
      if (value !== '') this.counts[value] = (this.counts[value] ?? 0) + 1;
    }, value);
  }

  #count(change: () => void, value = ''): void {
    change();
    this.#done++;
    this.#options.onProgress?.(this.#done, value);
  }
}
