// Puts the lean web classes in the place of the platform's, for the application of this process. To be called before
// any module of the application is loaded.

import { LeanHeaders } from './lean-headers.ts';
import { isLeanRequest, LeanRequest, toPlatformRequest } from './lean-request.ts';
import { LeanResponse } from './lean-response.ts';
import { copyNaming, PlatformRequest, platformFetch } from './platform-web.ts';

type FetchArguments = Parameters<typeof fetch>;

/** Replaces the globals Headers, Response, Request and fetch. */
export function installLeanGlobals(): void {
  install('Headers', LeanHeaders);
  install('Response', LeanResponse);
  install('Request', requestClass);
  install('fetch', fetchUnwrapped);
}

function install(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    enumerable: Object.getOwnPropertyDescriptor(globalThis, name)?.enumerable ?? false,
    configurable: true,
  });
}

/** Gives the platform, which knows only its own Requests, one of those for one of ours. */
function unwrap(input: unknown, init: unknown): unknown {
  if (!isLeanRequest(input)) return input;
  const { body } = (init ?? {}) as { body?: unknown };
  return toPlatformRequest(input, body === undefined || body === null);
}

/** The platform's class in everything but that its constructor takes our Requests. */
const requestClass: typeof Request = new Proxy(PlatformRequest, {
  construct(target, given: unknown[], newTarget) {
    const known = isLeanRequest(given[0]) ? [unwrap(given[0], given[1]), ...given.slice(1)] : given;
    return Reflect.construct(target, known, newTarget === requestClass ? target : newTarget) as object;
  },
});

function fetchUnwrapped(...given: FetchArguments): Promise<Response> {
  if (!isLeanRequest(given[0])) return platformFetch(...given);
  // What is wrong with the request is a rejection, not a throw.
  return new Promise((resolve) => {
    resolve(platformFetch(unwrap(given[0], given[1]) as Request, given[1]));
  });
}

copyNaming(fetchUnwrapped, platformFetch);
for (const { prototype } of [PlatformRequest, LeanRequest]) {
  Object.defineProperty(prototype, 'constructor', {
    value: requestClass,
    writable: true,
    configurable: true,
  });
}
