// Puts a looker-on between the host and an application of either interface.

import type { Application } from '../load-application.ts';
import { observeFunction } from './observe-function.ts';
import { observeListener } from './observe-listener.ts';
import type { ObservedCalls } from './observed-call.ts';
import type { ReturnedHeaders } from './returned-headers.ts';

/** The same application, each of its calls looked on. */
export function observeApplication(
  application: Application,
  calls: ObservedCalls,
  headers: ReturnedHeaders,
): Application {
  if (application.interface === 'node') {
    return { ...application, listener: observeListener(application.listener, calls) };
  }
  return { ...application, handle: observeFunction(application.handle, calls, headers) };
}
