// When a program that has been started is ready to take requests: it accepts connections, answers a request as it
// should, or has said so in a line of its output.

import { connect } from 'node:net';
import type { InstanceAddress } from './worker-messages.ts';

/** Where a program listens. */
export type ProgramAddress =
  | Omit<Extract<InstanceAddress, { path: string }>, 'id'>
  | { host: string; port: number };

/** How it is known that it is ready. `connect`: it accepts connections. */
export type ReadyTest =
  | { readonly kind: 'connect' }
  | { readonly kind: 'request'; readonly path: string; readonly status: number | undefined }
  | { readonly kind: 'line'; readonly pattern: RegExp };

const firstDelayMs = 20;
const longestDelayMs = 250;
/** A probe that hangs is given up; the next one may find things better. */
const probeTimeoutMs = 5_000;
const longestStatusLine = 8 * 1024;

/** Waits for one program. */
export class Readiness {
  readonly #test: ReadyTest;
  readonly #address: ProgramAddress;
  readonly #onReady: () => void;
  #timer: NodeJS.Timeout | undefined;
  #delayMs = firstDelayMs;
  #over = false;
  /** Why the last try failed, for whoever asks when time is up: "GET /healthz was answered 500". */
  obstacle = '';

  /** Begins to look. Calls `onReady` once, unless stopped before. */
  constructor(test: ReadyTest, address: ProgramAddress, onReady: () => void) {
    this.#test = test;
    this.#address = address;
    this.#onReady = onReady;
    if (test.kind === 'line') this.obstacle = `no line of its output was like ${test.pattern.source}`;
    else this.#tryLater();
  }

  /** A line of its output. */
  noteLine(line: string): void {
    if (this.#test.kind === 'line' && this.#test.pattern.test(line)) this.#succeed();
  }

  /** Looks no longer. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #succeed(): void {
    if (this.#over) return;
    this.stop();
    this.#onReady();
  }

  #tryLater(): void {
    if (this.#over) return;
    this.#timer = setTimeout(() => this.#try(), this.#delayMs);
    this.#delayMs = Math.min(longestDelayMs, this.#delayMs * 1.5);
  }

  async #try(): Promise<void> {
    const test = this.#test;
    const problem =
      test.kind === 'request'
        ? await probeByRequest(this.#address, test.path, test.status)
        : await probeByConnecting(this.#address);
    if (problem === null) this.#succeed();
    else {
      this.obstacle = problem;
      this.#tryLater();
    }
  }
}

/** null when the program accepts connections, or why not. */
function probeByConnecting(address: ProgramAddress): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const finish = (problem: string | null): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(probeTimeoutMs, () => finish('it does not accept connections'));
    socket.once('connect', () => finish(null));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(`it does not accept connections (${error.code})`),
    );
  });
}

/** null when the answer is as it should be, or what it was. */
function probeByRequest(
  address: ProgramAddress,
  path: string,
  expected: number | undefined,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let received = '';
    const finish = (problem: string | null): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(probeTimeoutMs, () => finish(`GET ${path} was not answered in time`));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 'latin1');
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      // The status line is all that matters, and the only thing that is read.
      if (received.includes('\n') || received.length > longestStatusLine) {
        finish(judgeStatusLine(received, path, expected));
      }
    });
    socket.once('error', (error: NodeJS.ErrnoException) => finish(`GET ${path} failed (${error.code})`));
    socket.once('close', () => finish(`GET ${path} was not answered`));
  });
}

function judgeStatusLine(text: string, path: string, expected: number | undefined): string | null {
  const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1] ?? 0);
  const isGood = expected === undefined ? status >= 200 && status < 400 : status === expected;
  if (isGood) return null;
  return status === 0 ? `GET ${path} was not answered in HTTP` : `GET ${path} was answered ${status}`;
}
