// Looks on while a gateway function is called: what it is given, what it returns or throws, what it does with waitUntil.
// The host sees the same function it would see without.

import { HttpError } from '../../message/http-error.ts';
import type { GatewayContext, GatewayFunction } from '../gateway-function.ts';
import { describeBriefly, findRule, isSecondRead } from './describe-briefly.ts';
import { inspectCall } from './inspect-call.ts';
import { inspectReturned } from './inspect-response.ts';
import type { ObservedCall, ObservedCalls } from './observed-call.ts';
import type { ReturnedHeaders } from './returned-headers.ts';

/** The same function, looked on. */
export function observeFunction(
  handle: GatewayFunction,
  calls: ObservedCalls,
  headers: ReturnedHeaders,
): GatewayFunction {
  const settle = (call: ObservedCall, returned: unknown): void => {
    inspect(call, returned, calls, headers);
    call.settle();
  };
  return (request, context) => {
    const call = calls.find(context.requestId);
    if (call === null) return handle(request, context);
    call.add(...inspectCall(request, context, call.probe, call.id));
    observeWaitUntil(context, call);
    call.begin(context.signal);
    let returned: Response | Promise<Response>;
    try {
      returned = calls.run(call, () => handle(request, context));
    } catch (thrown) {
      fail(call, thrown);
      throw thrown;
    }
    if (!isThenable(returned)) {
      settle(call, returned);
      return returned;
    }
    // Asked once: a promise of some library may begin its work each time.
    const promise = returned instanceof Promise ? returned : Promise.resolve(returned);
    promise.then(
      (response) => settle(call, response),
      (thrown) => fail(call, thrown),
    );
    return promise;
  };
}

function isThenable(value: unknown): value is PromiseLike<Response> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Errors behind the client's leaving are what is asked for. */
function fail(call: ObservedCall, thrown: unknown): void {
  call.fail(thrown);
  if (thrown instanceof HttpError && thrown.code === 'TSS_CLIENT_CLOSED' && call.signal?.aborted === false) {
    const detail = 'the body failed for a client that had left before the signal was aborted';
    call.add({ rule: 'G34', level: 'host', detail });
  }
  if (call.hasLeft || call.signal?.aborted || call.isExplained) return;
  const isBodyRead = call.probe.body.length > 0 && isSecondRead(thrown);
  const rule = isBodyRead ? 'G14' : findRule(thrown, 'G31');
  const what = isBodyRead ? 'a body was read twice' : 'the function failed';
  call.break(rule, `${what}: ${describeBriefly(thrown)}`);
}

function inspect(
  call: ObservedCall,
  returned: unknown,
  calls: ObservedCalls,
  headers: ReturnedHeaders,
): void {
  try {
    if (call.signal?.aborted) return;
    const { problems, hasBody, isStream } = inspectReturned(returned, call.probe.method);
    const response = returned as Response;
    const earlier = hasBody ? calls.noteReturned(response, call) : null;
    if (earlier !== null) {
      call.break('G25', 'it returned a Response with a body that it had returned before');
      return;
    }
    call.add(...problems);
    if (problems.some(({ rule }) => rule === 'G21')) return;
    call.status = response.status;
    call.isStream = isStream;
    headers.note(call, response.headers);
  } catch (thrown) {
    call.break('G21', `what it returned cannot be looked at: ${describeBriefly(thrown)}`);
  }
}

function observeWaitUntil(context: GatewayContext, call: ObservedCall): void {
  const { waitUntil } = context;
  const value = (work: Promise<unknown>): void => {
    if (!isThenable(work)) {
      call.break('G18', `waitUntil was given a ${typeof work}, which is no promise`);
    }
    call.usesWaitUntil = true;
    waitUntil(work);
  };
  Object.defineProperty(context, 'waitUntil', { value, configurable: true });
}
