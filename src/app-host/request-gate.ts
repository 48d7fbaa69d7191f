// Lets so many requests of an instance run at a time and keeps the others waiting in line. Each front worker keeps to
// the limit by itself; this holds for all of them together.

/** Whether something is a promise of any kind. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** A gate with so many places. */
export class RequestGate {
  readonly #places: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  /** Runs work when there is a place, which it has until what it returns is settled. */
  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    return this.hold((done) => {
      let returned: T | Promise<T>;
      try {
        returned = work();
      } catch (error) {
        done();
        throw error;
      }
      if (isThenable(returned)) returned.then(done, done);
      else done();
      return returned;
    });
  }

  /** Runs work when there is a place, which it has until it calls `done`. */
  hold<T>(work: (done: () => void) => T | Promise<T>): T | Promise<T> {
    if (this.#taken < this.#places) return this.#start(work);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#start(work));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #start<T>(work: (done: () => void) => T | Promise<T>): T | Promise<T> {
    this.#taken++;
    let isDone = false;
    return work(() => {
      if (isDone) return;
      isDone = true;
      this.#taken--;
      this.#waiting.shift()?.();
    });
  }
}
