// One front worker process: numbers its orders and matches the answers.

import type { SocketHandle } from './bind-socket.ts';
import { ChildProgram } from './child-program.ts';
import { LineSplitter } from './line-splitter.ts';
import { type FromWorker, OrderError, type WorkerOrder } from './worker-messages.ts';

/** The longest line of the error log, and some. */
const longestLine = 20 * 1024;
/** As long as a line of the access log can become: what a request may hold, escaped. */
const longestOutputLine = 1024 * 1024;

interface OpenOrder {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** What a worker is started with. */
export interface FrontWorkerOptions {
  /** The program, as a file URL. */
  readonly entry: URL;
  /** How long it may take to answer an order. */
  readonly answerTimeoutMs: number;
  /** Receives its standard error, line by line: its error log and what the engine says in a crash. */
  readonly onLine: (worker: FrontWorker, line: string) => void;
  /** Receives its standard output, line by line: an access log that goes there. */
  readonly onOutputLine: (line: string) => void;
  /** It has not answered in time. Called once. */
  readonly onStuck: (worker: FrontWorker) => void;
  /** Called once, after the orders still open were settled. */
  readonly onExit: (worker: FrontWorker, description: string) => void;
}

/** A running worker. */
export class FrontWorker {
  readonly #options: FrontWorkerOptions;
  readonly #program: ChildProgram;
  readonly #open = new Map<number, OpenOrder>();
  #lastId = 0;
  #isStuck = false;
  /** Whether it was told to end: its exit is then no death. */
  leaving = false;
  /** Monotonic ms at which it was ready; 0 before. */
  readyAtMs = 0;
  /** How it ended ("exited with code 1"); null while it runs. */
  end: string | null = null;

  constructor(options: FrontWorkerOptions) {
    this.#options = options;
    const splitters = {
      stdout: new LineSplitter(options.onOutputLine, longestOutputLine),
      stderr: new LineSplitter((line) => options.onLine(this, line), longestLine),
    };
    this.#program = new ChildProgram({
      entry: options.entry,
      environment: process.env,
      onOutput: (stream, bytes) => {
        if (bytes === null) splitters[stream].end();
        else splitters[stream].push(bytes);
      },
      onMessage: (message) => this.#settle(message as FromWorker),
      onExit: (description) => {
        this.end = description;
        // Its replacement is told everything anew: nobody needs to wait.
        for (const id of this.#open.keys()) this.#take(id)?.resolve();
        options.onExit(this, description);
      },
    });
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Resolves when the order was carried out (or the worker is gone), rejects with an {@link OrderError}. */
  order(order: WorkerOrder, handle: SocketHandle | null = null): Promise<void> {
    if (this.end !== null) return Promise.resolve();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#onTimeout(), this.#options.answerTimeoutMs);
      this.#open.set(id, { resolve, reject, timer });
      this.#program.send({ id, order }, handle);
    });
  }

  /** Tells it to finish what runs, and sees to it that it ends. */
  drain(timeoutMs: number): void {
    this.leaving = true;
    void this.order({ type: 'drain', timeoutMs });
    this.#program.endWithin(timeoutMs + 1_000);
  }

  /** Ends it now. Its exit is a death unless `leaving` is set. */
  kill(): void {
    this.#program.kill();
  }

  #settle({ id, problem, code }: FromWorker): void {
    const order = this.#take(id);
    if (problem === null) order?.resolve();
    else order?.reject(new OrderError(problem, code));
  }

  #onTimeout(): void {
    if (this.#isStuck) return;
    this.#isStuck = true;
    this.#options.onStuck(this);
  }

  #take(id: number): OpenOrder | undefined {
    const order = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(order?.timer);
    return order;
  }
}
