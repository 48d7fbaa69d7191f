// What an application does to the process that it runs in: ends it, leaves rejections and exceptions to it, listens on
// ports of its own.

import type { EventEmitter } from 'node:events';
import { Server } from 'node:net';
import { describeBriefly, findPlace, findRule } from './describe-briefly.ts';
import type { ObservedCalls } from './observed-call.ts';

/** Unwinds whoever wanted the process to end, since they count on not being returned to. */
export class ExitCall extends Error {
  override readonly name = 'ExitCall';
}

/** Replaces `process.exit` by a report. */
export function watchExit(calls: ObservedCalls): void {
  const exit = (code?: number | string | null): never => {
    const call = new ExitCall(`process.exit(${code ?? ''}) was called`);
    const place = findPlace(call);
    if (place !== null) call.message += ` (at ${place})`;
    calls.break('G52', call.message);
    throw call;
  };
  Object.defineProperty(process, 'exit', { value: exit, configurable: true, writable: true });
}

/** Reports what nobody caught. */
export function watchUncaught(calls: ObservedCalls): void {
  process.on('unhandledRejection', (reason) => {
    if (reason instanceof ExitCall || isExplained(calls, reason)) return;
    calls.break(findRule(reason, 'G33'), `a rejection was not handled: ${describeBriefly(reason)}`);
  });
  process.on('uncaughtException', (error) => {
    if (error instanceof ExitCall || isExplained(calls, error)) return;
    calls.break(findRule(error, 'G33'), `an exception was not caught: ${describeBriefly(error)}`);
  });
}

/** Node makes an exception of a write behind the end, which was told of when it was done. */
function isExplained({ current }: ObservedCalls, thrown: unknown): boolean {
  return current?.isExplained === true && findRule(thrown, 'G33') === 'G51';
}

/** Reports servers that listen although the instance does it for them. @param application the default export */
export function watchListening(calls: ObservedCalls, getApplication: () => unknown): void {
  const { listen } = Server.prototype;
  const value = function (this: Server, ...given: unknown[]): unknown {
    // A server asks for its address later, and an application may export itself later still.
    this.once('listening', () => setImmediate(() => judge(this)));
    return Reflect.apply(listen as (...given: unknown[]) => unknown, this, given);
  };
  const judge = (server: Server): void => {
    const address = server.address();
    if (typeof address === 'string' || address === null) return;
    const application = getApplication();
    const isSame =
      server === application ||
      (server as EventEmitter).listeners('request').some((listener) => listener === application);
    const detail = isSame
      ? `the application listens on port ${address.port} itself: each instance would`
      : `a server of the application listens on port ${address.port}: of several instances only one can`;
    calls.ledger.add({ rule: 'G3', level: isSame ? 'broken' : 'advice', detail }, calls.phase);
  };
  Object.defineProperty(Server.prototype, 'listen', { value, configurable: true, writable: true });
}
