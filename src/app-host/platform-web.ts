// The platform's own web classes, kept before the lean ones take their names, and the way a lean class takes the place
// of one: everybody who looks at it from outside sees what the platform's would show.

import * as workerThreads from 'node:worker_threads';

/** Makes structuredClone refuse an object, as later Nodes refuse theirs. Null where they do not. */
export const markUncloneable: ((value: object) => void) | null = findMarkUncloneable();

function findMarkUncloneable(): ((value: object) => void) | null {
  const { markAsUncloneable } = workerThreads as { markAsUncloneable?: (value: object) => void };
  if (markAsUncloneable === undefined) return null;
  try {
    structuredClone(new globalThis.Headers());
    return null;
  } catch {
    return markAsUncloneable;
  }
}

/** Node's own Headers. */
export const PlatformHeaders: typeof Headers = globalThis.Headers;
/** Node's own Request. */
export const PlatformRequest: typeof Request = globalThis.Request;
/** Node's own Response. */
export const PlatformResponse: typeof Response = globalThis.Response;
/** Node's own fetch. */
export const platformFetch: typeof fetch = globalThis.fetch;

/** What `instanceof` does where a class says nothing else. */
const inheritedHasInstance = (() => {})[Symbol.hasInstance];

/** A class, seen from outside. */
interface WebClass {
  readonly name: string;
  readonly prototype: object;
}

/**
 * Puts a lean class in front of the platform's: `instanceof` holds both ways, members that only the platform's has are
 * inherited, and names, lengths and enumerability are its. Members that this Node's class lacks are removed.
 */
export function dressAs(lean: WebClass, platform: WebClass): void {
  const { name, prototype } = platform;
  Object.setPrototypeOf(lean, platform);
  Object.setPrototypeOf(lean.prototype, prototype);
  copyNaming(lean, platform);
  for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(platform))) {
    if (typeof value === 'function' && Object.hasOwn(lean, key)) copyNaming(Reflect.get(lean, key), value);
  }
  for (const key of Reflect.ownKeys(lean.prototype)) {
    if (key === 'constructor') continue;
    const theirs = Object.getOwnPropertyDescriptor(prototype, key);
    if (theirs === undefined) {
      Reflect.deleteProperty(lean.prototype, key);
      continue;
    }
    const ours = Object.getOwnPropertyDescriptor(lean.prototype, key) as PropertyDescriptor;
    if (typeof ours.value === 'function') copyNaming(ours.value, theirs.value);
    Object.defineProperty(lean.prototype, key, { ...ours, enumerable: theirs.enumerable ?? false });
  }
  Object.defineProperty(lean, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      // A class of the application's that extends ours has its own instances and no others.
      const judge = this === lean ? platform : this;
      if (value === lean.prototype) return false;
      return inheritedHasInstance.call(judge as () => void, value);
    },
    configurable: true,
  });
  Object.defineProperty(lean.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/**
 * Members that a lean class does not define itself say what they say for a blank object of the platform's. `isLean`
 * tells whose instances those are.
 */
export function inheritConstants(lean: WebClass, blank: object, isLean: (value: object) => boolean): void {
  const prototype = Object.getPrototypeOf(blank);
  for (const [key, theirs] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const { get } = theirs;
    if (get === undefined || Object.hasOwn(lean.prototype, key)) continue;
    Object.defineProperty(lean.prototype, key, {
      ...theirs,
      get(this: object) {
        return get.call(isLean(this) ? blank : this);
      },
    });
  }
}

/** Gives a function the name and the length of another. */
export function copyNaming(to: object, from: object): void {
  for (const key of ['name', 'length']) {
    const descriptor = Object.getOwnPropertyDescriptor(from, key);
    if (descriptor !== undefined) Object.defineProperty(to, key, descriptor);
  }
}
