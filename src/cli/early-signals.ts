// What a signal means before there is anybody to obey it: Node's default action would end the process. Made first of
// all, so it imports nothing.

const signals = ['SIGHUP', 'SIGQUIT', 'SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Keeps signals from ending the process until it is known who obeys them. */
export class EarlySignals {
  readonly #received: NodeJS.Signals[] = [];
  #onStop: (() => void) | null = null;
  readonly #receive = (signal: NodeJS.Signals): void => {
    this.#received.push(signal);
    this.#stopIfAsked();
  };

  constructor() {
    for (const signal of signals) process.on(signal, this.#receive);
  }

  /** Whether SIGHUP was among them. */
  get reloadAsked(): boolean {
    return this.#received.includes('SIGHUP');
  }

  /** Calls `stop` when told to end, at once if that has happened already. */
  onStop(stop: () => void): void {
    this.#onStop = stop;
    this.#stopIfAsked();
  }

  /** Leaves signals to whoever listens to them by now. */
  close(): void {
    for (const signal of signals) process.off(signal, this.#receive);
  }

  /** Leaves signals to their default action: also those that have come already. */
  release(): void {
    this.close();
    for (const signal of this.#received) process.kill(process.pid, signal);
  }

  #stopIfAsked(): void {
    const isAsked = this.#received.some((signal) => /^SIG(QUIT|TERM|INT)$/.test(signal));
    if (isAsked) this.#onStop?.();
  }
}
