// The failures that the host reports while an application is checked: to the log in an instance, to their calls here.

import { describeBriefly } from './describe-briefly.ts';
import type { ObservedCalls } from './observed-call.ts';

/** Failures by the id of their request. */
export class CollectedFailures {
  readonly byRequest = new Map<string, unknown[]>();
  readonly #calls: ObservedCalls;

  constructor(calls: ObservedCalls) {
    this.#calls = calls;
  }

  /** What the host says in the words of its reports. */
  add(headline: string, thrown: unknown): void {
    const id = /^request (check-\d+)\b/.exec(headline)?.[1];
    const call = id === undefined ? null : this.#calls.find(id);
    if (headline.endsWith('work given to waitUntil failed')) {
      this.#calls.break('G18', `work given to waitUntil failed: ${describeBriefly(thrown)}`, call);
    } else if (call !== null) {
      this.byRequest.set(call.id, [...(this.byRequest.get(call.id) ?? []), thrown]);
    } else if (headline === 'an abort listener failed') {
      this.#calls.break('G33', `${headline}: ${describeBriefly(thrown)}`);
    } else if (headline === 'close failed') {
      this.#calls.break('G6', `${headline}: ${describeBriefly(thrown)}`, null);
    }
  }
}
