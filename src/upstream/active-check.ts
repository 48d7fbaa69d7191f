// Looks after one peer: has it probed again and again, with some chance in the time between, and says after how many
// passes or failures in a row it is up or down. How a peer is probed is left to the probe.

import { monotonicMs } from '../base/clock.ts';
import type { Deadline, TimerWheel } from '../base/timer-wheel.ts';
import type { HealthSettings } from './health-shape.ts';

/** `checking`: nothing is known yet, and nothing is to be risked. */
export type CheckState = 'checking' | 'up' | 'down';

/** Why a peer is not well, null if it is, undefined if nothing was learnt about it. */
export type ProbeResult = string | null | undefined;

/** Asks a peer once. Returns what ends the attempt early. */
export type Probe = (onResult: (result: ProbeResult) => void) => () => void;

/** Who is told of results. */
export interface CheckObserver {
  /** A check was passed. `passes` counts those in a row. */
  onPassed(passes: number): void;
  onFailed(problem: string): void;
  /** The peer was found to be up, or down for this reason. */
  onChange(state: 'up' | 'down', problem: string): void;
}

/** When and how often a peer is asked. */
export type CheckTimes = Pick<
  HealthSettings,
  'interval' | 'jitter' | 'timeout' | 'rise' | 'fall' | 'mandatory'
>;

/** The first checks of all peers are spread over at most so long. */
const firstSpreadMs = 250;

/** The check of one peer. */
export class ActiveCheck {
  readonly #times: CheckTimes;
  readonly #probe: Probe;
  readonly #observer: CheckObserver;
  readonly #next: Deadline;
  readonly #limit: Deadline;
  #stopProbe: (() => void) | null = null;
  #inRow = 0;
  #lastPassed = true;
  #closed = false;
  /** When the peer came back; -Infinity if it was never down. */
  upSinceMs = Number.NEGATIVE_INFINITY;
  state: CheckState;

  constructor(times: CheckTimes, probe: Probe, observer: CheckObserver, timers: TimerWheel) {
    this.#times = times;
    this.#probe = probe;
    this.#observer = observer;
    this.state = times.mandatory ? 'checking' : 'up';
    this.#next = timers.createDeadline(() => this.#start());
    this.#limit = timers.createDeadline(() => this.#finish('no answer in time'));
    this.#next.set(times.mandatory ? 0 : Math.random() * Math.min(firstSpreadMs, times.interval));
  }

  /** Whether requests may go to the peer. */
  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Asks no more. */
  close(): void {
    this.#closed = true;
    this.#next.drop();
    this.#limit.drop();
    this.#stopProbe?.();
    this.#stopProbe = null;
  }

  #start(): void {
    this.#limit.set(this.#times.timeout);
    let ended = false;
    const stop = this.#probe((result) => {
      ended = true;
      this.#finish(result);
    });
    if (!ended) this.#stopProbe = stop;
  }

  #finish(result: ProbeResult): void {
    const stop = this.#stopProbe;
    this.#stopProbe = null;
    stop?.();
    this.#limit.clear();
    if (this.#closed) return;
    if (result !== undefined) this.#count(result);
    const { interval, jitter } = this.#times;
    this.#next.set(interval + Math.random() * jitter);
  }

  #count(problem: string | null): void {
    const passed = problem === null;
    this.#inRow = passed === this.#lastPassed ? this.#inRow + 1 : 1;
    this.#lastPassed = passed;
    if (passed) {
      this.#observer.onPassed(this.#inRow);
      if (this.state !== 'up' && (this.#inRow >= this.#times.rise || this.state === 'checking')) this.#rise();
    } else {
      this.#observer.onFailed(problem);
      if (this.state !== 'down' && (this.#inRow >= this.#times.fall || this.state === 'checking')) {
        this.state = 'down';
        this.#observer.onChange('down', problem);
      }
    }
  }

  #rise(): void {
    if (this.state === 'down') this.upSinceMs = monotonicMs();
    this.state = 'up';
    this.#observer.onChange('up', '');
  }
}
