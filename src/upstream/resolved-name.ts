// A name that is looked up again and again, and the addresses it stands for. Keeps the last good ones while nobody
// answers. Shared by all upstreams that name it, and kept across reloads.

import { monotonicMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import { type LookUpName, type NameAnswer, type NamedAddress, NameError } from './look-up-name.ts';

/** What a name is kept with. */
export interface NameDeps {
  readonly timers: TimerWheel;
  readonly log: Log;
}

/** How soon a look-up that failed is repeated: at first, and at the latest, for it doubles. */
const firstRetryMs = 1000;
const lastRetryMs = 5000;

/** How long a name that had addresses must have none before that is believed: zones vanish for a moment. */
const standardGoneAfterMs = 30_000;

/** One name. Begins to look it up at once. */
export class ResolvedName {
  readonly #name: string;
  readonly #ask: LookUpName;
  readonly #cancel: () => void;
  readonly #log: Log;
  readonly #deadline: Deadline;
  readonly #goneAfterMs: number;
  readonly #followers = new Set<() => void>();
  #addresses: readonly NamedAddress[] = [];
  #problem: string | null = null;
  #retryMs = firstRetryMs;
  /** Since when the answer has been that there are no addresses; 0 when it is not so. */
  #goneSinceMs = 0;
  #isPending = true;
  #closed = false;

  constructor(
    name: string,
    { ask, cancel }: { ask: LookUpName; cancel: () => void },
    { timers, log }: NameDeps,
    goneAfterMs = standardGoneAfterMs,
  ) {
    this.#name = name;
    this.#ask = ask;
    this.#cancel = cancel;
    this.#log = log;
    this.#goneAfterMs = goneAfterMs;
    this.#deadline = timers.createDeadline(() => this.#lookUp());
    this.#lookUp();
  }

  /** What the name stands for, as far as is known. */
  get addresses(): readonly NamedAddress[] {
    return this.#addresses;
  }

  /** Whether no look-up has come to its end yet. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** Why the last look-up failed; null when it did not. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Calls back when the addresses have changed, and when the first look-up has failed. Returns what ends that. */
  subscribe(onChange: () => void): () => void {
    this.#followers.add(onChange);
    return () => void this.#followers.delete(onChange);
  }

  /** Looks no more. */
  close(): void {
    this.#closed = true;
    this.#deadline.drop();
    this.#cancel();
  }

  #lookUp(): void {
    this.#ask().then(
      (answer) => this.#accept(answer),
      (error: unknown) => this.#endure(error as Error),
    );
  }

  #accept({ addresses, validMs }: NameAnswer): void {
    if (this.#closed) return;
    this.#deadline.set(validMs);
    this.#retryMs = firstRetryMs;
    this.#goneSinceMs = 0;
    if (this.#problem !== null) this.#log('notice', `${this.#name} is resolved again`);
    this.#problem = null;
    this.#replace(addresses);
  }

  #endure(error: Error): void {
    if (this.#closed) return;
    this.#deadline.set(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    if (this.#problem !== error.message) {
      const rest = this.#addresses.length > 0 ? ': its last addresses are used' : '';
      this.#log('warn', `upstream address: ${error.message}${rest}`);
    }
    this.#problem = error.message;
    const isGone = error instanceof NameError && error.isAnswer;
    if (!isGone) this.#goneSinceMs = 0;
    else if (this.#goneSinceMs === 0) this.#goneSinceMs = monotonicMs();
    const isLost = isGone && monotonicMs() - this.#goneSinceMs >= this.#goneAfterMs;
    this.#replace(isLost ? [] : this.#addresses);
  }

  #replace(addresses: readonly NamedAddress[]): void {
    const wasPending = this.#isPending;
    const before = describeAddresses(this.#addresses);
    const now = describeAddresses(addresses);
    this.#isPending = false;
    this.#addresses = addresses;
    if (before === now && !wasPending) return;
    if (before !== now) this.#log('info', `${this.#name} is ${now === '' ? 'no address any more' : now}`);
    for (const onChange of [...this.#followers]) onChange();
  }
}

function describeAddresses(addresses: readonly NamedAddress[]): string {
  return addresses
    .map(({ host, port, weight, backup }) =>
      port === null ? host : `${host} port ${port} weight ${weight}${backup ? ' backup' : ''}`,
    )
    .join(', ');
}
