// The headers of returned responses as they were: what an application changes of them later comes too late, or reaches
// another request.

import type { ObservedCall } from './observed-call.ts';

interface Returned {
  readonly call: ObservedCall;
  readonly headers: Headers;
  readonly before: string;
}

/** The headers of every response so far. */
export class ReturnedHeaders {
  readonly #all: Returned[] = [];

  /** A response was returned with these. */
  note(call: ObservedCall, headers: Headers): void {
    this.#all.push({ call, headers, before: toText(headers) });
  }

  /** Tells of those that are not any more what they were, and has no eye for them from then on. */
  compare(): void {
    for (const each of [...this.#all]) {
      if (toText(each.headers) === each.before) continue;
      this.#all.splice(this.#all.indexOf(each), 1);
      each.call.break('G25', 'the headers of a Response were changed after it was returned');
    }
  }
}

function toText(headers: Headers): string {
  return JSON.stringify([...headers]);
}
