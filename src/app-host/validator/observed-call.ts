// One call of the application, from the probe that leads to it to the end of its response: what was seen of it. And all
// of them, by the id that each request carries.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { RuleId } from '../../base/check-messages.ts';
import type { Ledger, Problem } from './ledger.ts';
import type { Probe } from './probes.ts';

/** What was seen of one call. */
export class ObservedCall {
  readonly id: string;
  readonly probe: Probe;
  readonly isNode: boolean;
  readonly ledger: Ledger;
  /** Told when the application is called. */
  onBegin: () => void = () => {};
  /** Told when a Node listener has ended its response. */
  onFinish: () => void = () => {};
  hasBegun = false;
  /** The promise is settled; or the response of a Node listener ended or lost its client. */
  isSettled = false;
  isFinished = false;
  /** Bytes that a Node listener gave to write and end. */
  bytesWritten = 0;
  /** What the application answered with, 0 before. */
  status = 0;
  /** Whether the body comes bit by bit. */
  isStream = false;
  hasFailed = false;
  usesWaitUntil = false;
  thrown: unknown = undefined;
  signal: AbortSignal | null = null;
  /** Whether the client left before the response was complete. */
  hasLeft = false;
  /** Whether it left while the application was at work. */
  leftAtWork = false;
  /** Something was found that explains whatever the client saw. */
  isExplained = false;
  #resolveSettled: () => void = () => {};
  /** Resolves with `isSettled`. */
  readonly settled = new Promise<void>((resolve) => {
    this.#resolveSettled = resolve;
  });

  constructor(id: string, probe: Probe, isNode: boolean, ledger: Ledger) {
    this.id = id;
    this.probe = probe;
    this.isNode = isNode;
    this.ledger = ledger;
  }

  /** The application is about to be called. */
  begin(signal: AbortSignal | null): void {
    this.hasBegun = true;
    this.signal = signal;
    this.onBegin();
  }

  /** It answered. */
  settle(): void {
    this.isSettled = true;
    this.#resolveSettled();
  }

  /** It threw, or rejected. */
  fail(thrown: unknown): void {
    this.hasFailed = true;
    this.thrown = thrown;
    this.settle();
  }

  /** The client goes away before its response is complete. */
  noteDeparture(): void {
    this.hasLeft = true;
    this.leftAtWork = this.hasBegun && !this.isSettled;
  }

  /** Something about this call. */
  add(...problems: Problem[]): void {
    for (const problem of problems) {
      if (problem.level === 'broken') this.isExplained = true;
      this.ledger.add(problem, this.probe.name);
    }
  }

  /** A rule is broken. */
  break(rule: RuleId, detail: string): void {
    this.add({ rule, level: 'broken', detail });
  }
}

/** The calls of one check. */
export class ObservedCalls {
  readonly ledger: Ledger;
  readonly #calls = new Map<string, ObservedCall>();
  readonly #current = new AsyncLocalStorage<ObservedCall>();
  /** Responses with a body that were returned, and what for. */
  readonly #returned = new WeakMap<object, string>();
  readonly #isNode: boolean;
  /** What is going on beside requests: "loading", "close". */
  phase = 'loading';
  #serial = 0;

  constructor(kind: 'fetch' | 'node', ledger: Ledger) {
    this.#isNode = kind === 'node';
    this.ledger = ledger;
  }

  /** A call that a request of this probe will lead to. */
  expect(probe: Probe): ObservedCall {
    const call = new ObservedCall(`check-${++this.#serial}`, probe, this.#isNode, this.ledger);
    this.#calls.set(call.id, call);
    return call;
  }

  /** The call of that request, or null for a request that is none of ours. */
  find(id: string): ObservedCall | null {
    return this.#calls.get(id) ?? null;
  }

  /** Runs the application: what it does later is known to belong to the call. */
  run<T>(call: ObservedCall, work: () => T): T {
    return this.#current.run(call, work);
  }

  /** The call that the code under way belongs to, if that is known. */
  get current(): ObservedCall | null {
    return this.#current.getStore() ?? null;
  }

  /** A rule is broken by code that may belong to a call. */
  break(rule: RuleId, detail: string, call: ObservedCall | null = this.current): void {
    if (call !== null) call.break(rule, detail);
    else this.ledger.add({ rule, level: 'broken', detail }, this.phase);
  }

  /** What was answered with this Response before, or null for the first time. */
  noteReturned(response: object, call: ObservedCall): string | null {
    const earlier = this.#returned.get(response) ?? null;
    this.#returned.set(response, call.probe.name);
    return earlier;
  }
}
