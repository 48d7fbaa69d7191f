// Keeps the thread pool for others, too: files are read there, names are looked up. So many compressions run at a
// time; the rest waits in the order of coming.

/** Work that calls `done` once, when its thread is free again. */
export type Work = (done: () => void) => void;

/** Runs at most so many pieces of work at a time. */
export class WorkLane {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiting: Work[] = [];
  #running = 0;

  /** @param maxWaiting from how many waiting pieces of work on `isFull` tells to do without */
  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  /** Whether new work had better not be begun. */
  get isFull(): boolean {
    return this.#waiting.length >= this.#maxWaiting;
  }

  /** Runs the work, now or later. */
  run(work: Work): void {
    if (this.#running < this.#limit) this.#start(work);
    else this.#waiting.push(work);
  }

  /** Forgets what waits. */
  close(): void {
    this.#waiting.length = 0;
  }

  #start(work: Work): void {
    this.#running++;
    let isDone = false;
    work(() => {
      if (isDone) return;
      isDone = true;
      this.#running--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#start(next);
    });
  }
}
