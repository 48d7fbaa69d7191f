// One front worker process: numbers its orders and matches the answers.

import type { SocketHandle } from './bind-socket.ts';
import { ChildProgram } from './child-program.ts';
import { LineSplitter } from './line-splitter.ts';
import { type FromWorker, OrderError, type WorkerOrder } from './worker-messages.ts';

/** The longest line of the error log, and some. */
const longestLine = 20 * 1024;

interface OpenOrder {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A running worker. */
export class FrontWorker {
  readonly #program: ChildProgram;
  readonly #open = new Map<number, OpenOrder>();
  #lastId = 0;
  /** Whether it was told to end: its exit is then no death. */
  leaving = false;
  /** Monotonic ms at which it was ready; 0 before. */
  readyAtMs = 0;
  /** How it ended ("exited with code 1"); null while it runs. */
  end: string | null = null;

  /**
   * @param onLine receives what it writes, line by line: its error log and what the engine says in a crash
   * @param onExit called once, after the orders still open were settled
   */
  constructor(
    entry: URL,
    onLine: (worker: FrontWorker, line: string) => void,
    onExit: (worker: FrontWorker, description: string) => void,
  ) {
    const output = new LineSplitter((line) => onLine(this, line), longestLine);
    this.#program = new ChildProgram({
      entry,
      environment: process.env,
      onOutput: (_, bytes) => {
        if (bytes === null) output.end();
        else output.push(bytes);
      },
      onMessage: (message) => this.#settle(message as FromWorker),
      onExit: (description) => {
        this.end = description;
        // Its replacement is told everything anew: nobody needs to wait.
        for (const order of this.#open.values()) order.resolve();
        this.#open.clear();
        onExit(this, description);
      },
    });
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Resolves when the order was carried out (or the worker is gone), rejects with an {@link OrderError}. */
  order(order: WorkerOrder, handle: SocketHandle | null = null): Promise<void> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
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
    const order = this.#open.get(id);
    this.#open.delete(id);
    if (problem === null) order?.resolve();
    else order?.reject(new OrderError(problem, code));
  }
}
