// The web classes of the platform and ours, side by side, and what one case makes of each.

import { installLeanGlobals } from '../../src/app-host/install-lean-globals.ts';
import { createLeanRequest } from '../../src/app-host/lean-request.ts';
import { PlatformHeaders, PlatformRequest, PlatformResponse } from '../../src/app-host/platform-web.ts';
import { createExchange, ListBody } from './create-exchange.ts';

/** What a request of a case is made of. */
export interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Chunks of latin1 text. Null for no body. */
  readonly body?: readonly string[] | null;
  /** Thrown behind the chunks. */
  readonly failure?: Error;
}

/** One set of classes under test. */
export interface WebClasses {
  readonly Headers: typeof Headers;
  readonly Request: typeof Request;
  readonly Response: typeof Response;
  /** The request as an instance gets it. */
  readonly receive: (parts?: RequestParts) => Request;
}

/** A case: whatever it returns, resolves to, throws or rejects with is to be the same for both. */
export type WebCase = readonly [title: string, run: (web: WebClasses) => unknown];

/** What came of a case. */
export type Outcome = readonly ['returns' | 'fulfils' | 'throws' | 'rejects', unknown];

/** The platform's own. */
export const platform: WebClasses = {
  Headers: PlatformHeaders,
  Request: PlatformRequest,
  Response: PlatformResponse,
  receive: ({ method = 'GET', target = '/', headers = [], body = null, failure } = {}) =>
    new PlatformRequest(`http://a${target}`, {
      method,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      ...(body === null ? {} : { body: streamOf(body, failure), duplex: 'half' }),
    }),
};

/** Installs ours, and gives them back. */
export function installLean(): WebClasses {
  installLeanGlobals();
  return {
    Headers: globalThis.Headers,
    Request: globalThis.Request,
    Response: globalThis.Response,
    receive: ({ method = 'GET', target = '/', headers = [], body = null, failure } = {}) => {
      const chunks = body?.map((chunk) => Buffer.from(chunk, 'latin1'));
      const request = createLeanRequest(
        createExchange({
          method,
          target,
          fields: ['X-Forwarded-Host', 'a', ...headers.flat()].slice(0),
          ...(chunks === undefined ? {} : { body: new ListBody(chunks, failure) }),
        }),
      );
      if (request === null) throw new TypeError('no request can express this');
      request.headers.delete('x-forwarded-host');
      return request as unknown as Request;
    },
  };
}

/** Runs a case. Of an error only its class is told: each Node words its own differently. */
export async function runCase([, run]: WebCase, web: WebClasses): Promise<Outcome> {
  let result: unknown;
  try {
    result = run(web);
  } catch (error) {
    return ['throws', nameError(error)];
  }
  if (!(result instanceof Promise)) return ['returns', result];
  try {
    return ['fulfils', await result];
  } catch (error) {
    return ['rejects', nameError(error)];
  }
}

/** "TypeError", or the thing itself where it is no error. */
export function nameError(error: unknown): unknown {
  return error instanceof Error ? error.name : error;
}

/** What a call came to, for several calls in one case. */
export function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return ['threw', nameError(error)];
  }
}

/** As {@link attempt}, for what may reject. */
export async function attemptLater(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return ['threw', nameError(error)];
  }
}

/** A stream of chunks of latin1 text. */
export function streamOf(chunks: readonly string[], failure?: Error): ReadableStream<Uint8Array> {
  const rest = [...chunks];
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk !== undefined) controller.enqueue(new Uint8Array(Buffer.from(chunk, 'latin1')));
      else if (failure !== undefined) controller.error(failure);
      else controller.close();
    },
  });
}

/** Whether a member gives the same object every time. */
export function isSame(read: () => unknown): boolean {
  return Object.is(read(), read());
}
