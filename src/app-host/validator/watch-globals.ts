// Notices what requests leave behind in the globals of the process, where other requests find it, and what was added to
// the web classes.

import type { Ledger } from './ledger.ts';

/** Values by name. Accessors are not called: they may do anything. */
function readGlobals(): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
    if (get === undefined) values.set(name, value);
  }
  return values;
}

/** The globals, looked at between requests. */
export class GlobalsWatch {
  #before = readGlobals();
  readonly #changes = new Map<string, number>();
  readonly #reported = new Set<string>();

  /** Tells of globals that were written more than once since the beginning: a value set once is rather a cache. */
  compare(ledger: Ledger, occasion: string): void {
    const now = readGlobals();
    for (const [name, value] of now) {
      if (this.#before.has(name) && Object.is(this.#before.get(name), value)) continue;
      const count = (this.#changes.get(name) ?? 0) + 1;
      this.#changes.set(name, count);
      if (count < 2 || this.#reported.has(name)) continue;
      this.#reported.add(name);
      ledger.add(
        {
          rule: 'G39',
          level: 'advice',
          detail: `requests write to the global ${name}, which all of them share`,
        },
        occasion,
      );
    }
    this.#before = now;
  }
}

/** Members of the web classes: what of them an application adds is not on everything that looks like one. */
export class WebClassesWatch {
  readonly #before = listMembers();

  /** Tells of members that were added. */
  compare(ledger: Ledger, occasion: string): void {
    const added = listMembers().filter((name) => !this.#before.includes(name));
    ledger.keep('G48');
    if (added.length === 0) return;
    const detail = `${added.join(', ')} was added: what fetch returns does not have it`;
    ledger.add({ rule: 'G48', level: 'advice', detail }, occasion);
  }
}

function listMembers(): string[] {
  return [Response, Headers].flatMap(({ name, prototype }) =>
    Reflect.ownKeys(prototype).map((key) => `${name}.prototype.${String(key)}`),
  );
}
