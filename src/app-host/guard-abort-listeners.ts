// Keeps an abort listener that fails from ending its instance. The platform makes an uncaught exception of what a listener
// throws, or of the rejection of an async one; but they run because a client left, and other clients have no part in that.

import { copyNaming } from './platform-web.ts';
import { reportFailure } from './report.ts';

type AddListener = EventTarget['addEventListener'];
type RemoveListener = EventTarget['removeEventListener'];
type Listener = Parameters<AddListener>[1];

/** The guarded form of each listener: the same one every time, for a listener that is added twice is one. */
const guarded = new WeakMap<object, Listener>();

/** Has whatever fails in a listener of any AbortSignal of this process reported, and nothing else. To be called once. */
export function guardAbortListeners(): void {
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const add: AddListener = function (this: EventTarget, type, listener, ...rest) {
    addEventListener.call(this, type, toGuarded(listener), ...rest);
  };
  const remove: RemoveListener = function (this: EventTarget, type, listener, ...rest) {
    removeEventListener.call(this, type, findGuarded(listener), ...rest);
  };
  define('addEventListener', add, addEventListener);
  define('removeEventListener', remove, removeEventListener);
}

function define(name: string, value: object, original: object): void {
  copyNaming(value, original);
  const place = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(AbortSignal.prototype, name, place);
}

/** What is no listener is the platform's to refuse. */
function isListener(value: unknown): value is Listener {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

function findGuarded(listener: Listener): Listener {
  return (isListener(listener) ? guarded.get(listener) : undefined) ?? listener;
}

function toGuarded(listener: Listener): Listener {
  if (!isListener(listener)) return listener;
  let guard = guarded.get(listener);
  if (guard === undefined) {
    guard = function (this: unknown, event: Event) {
      runListener(listener, this, event);
    };
    guarded.set(listener, guard);
  }
  return guard;
}

function runListener(listener: Listener, self: unknown, event: Event): void {
  const fail = (thrown: unknown) => reportFailure('an abort listener failed', thrown);
  try {
    const result: unknown =
      typeof listener === 'function' ? listener.call(self, event) : listener.handleEvent(event);
    if (typeof result === 'object' && result !== null && 'then' in result) {
      Promise.resolve(result).catch(fail);
    }
  } catch (thrown) {
    fail(thrown);
  }
}
