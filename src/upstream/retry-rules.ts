// Which failures and answers of a peer have a request tried on another one, as nginx's proxy_next_upstream says it.
// How often that may happen is counted elsewhere.

import type { ClientFailure } from '../message/client-failure.ts';
import type { RetrySettings } from './retry-shape.ts';

/** RFC 9110 9.2.2: sending one of these twice does what sending it once does. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Compiled settings of `retries`. */
export class RetryRules {
  /** Most tries of one request; 0 for any number. */
  readonly tries: number;
  /** Milliseconds from the start of a request in which another try may begin; 0 for no limit. */
  readonly timeout: number;
  readonly #onError: boolean;
  readonly #onTimeout: boolean;
  readonly #onInvalid: boolean;
  readonly #anyMethod: boolean;
  readonly #statuses: ReadonlySet<number>;

  constructor({ on, tries, timeout }: RetrySettings) {
    this.tries = tries;
    this.timeout = timeout;
    this.#onError = on.includes('error');
    this.#onTimeout = on.includes('timeout');
    this.#onInvalid = on.includes('invalid_header');
    this.#anyMethod = on.includes('non_idempotent');
    this.#statuses = new Set(on.flatMap((word) => (word.startsWith('http_') ? [Number(word.slice(5))] : [])));
  }

  /** Whether a request may be sent again although a peer may have acted on it. */
  isRepeatable(method: string): boolean {
    return this.#anyMethod || idempotentMethods.has(method);
  }

  /** Whether such a failure has a request tried elsewhere, if it is safe to do so. */
  coversFailure({ facts: { cause } }: ClientFailure): boolean {
    if (cause === 'timeout') return this.#onTimeout;
    return cause === 'response' ? this.#onInvalid : this.#onError;
  }

  /** Whether such an answer has a request tried elsewhere, if it is safe to do so. */
  coversStatus(status: number): boolean {
    return this.#statuses.size > 0 && this.#statuses.has(status);
  }
}

/** Whether an answer that has a request tried elsewhere counts as a failure of the peer: it never does in nginx for these. */
export function isFailureStatus(status: number): boolean {
  return status !== 403 && status !== 404;
}
