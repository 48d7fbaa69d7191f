// What keeps a process from ending by itself: timers, sockets, watchers, child processes. With the place in the
// application that made them, where that can be known.

import { createHook } from 'node:async_hooks';
import { findPlace } from './describe-briefly.ts';

/** By the names that Node gives to resources, and to what async_hooks call the same. */
const kinds: Readonly<Record<string, { readonly words: string; readonly hookType: string }>> = {
  Timeout: { words: 'a timer', hookType: 'Timeout' },
  TCPSocketWrap: { words: 'a TCP connection', hookType: 'TCPWRAP' },
  TCPServerWrap: { words: 'a TCP server', hookType: 'TCPSERVERWRAP' },
  PipeWrap: { words: 'a pipe or unix socket', hookType: 'PIPEWRAP' },
  PipeServerWrap: { words: 'a server on a unix socket', hookType: 'PIPESERVERWRAP' },
  UDPWrap: { words: 'a UDP socket', hookType: 'UDPWRAP' },
  FSEventWrap: { words: 'a watched file', hookType: 'FSEVENTWRAP' },
  StatWatcher: { words: 'a watched file', hookType: 'STATWATCHER' },
  ProcessWrap: { words: 'a child process', hookType: 'PROCESSWRAP' },
  MessagePort: { words: 'a worker thread or message port', hookType: 'MESSAGEPORT' },
};

const hookTypes: ReadonlySet<string> = new Set(Object.values(kinds).map(({ hookType }) => hookType));

interface Made {
  readonly hookType: string;
  readonly place: string;
  readonly resource: WeakRef<object>;
}

/** What is open, compared with what was open at the beginning. To be made before the application is loaded. */
export class OpenHandles {
  readonly #before: ReadonlyMap<string, number>;
  readonly #made = new Map<number, Made>();
  readonly #hook = createHook({
    init: (id, hookType, _, resource) => this.#note(id, hookType, resource),
    destroy: (id) => void this.#made.delete(id),
  });

  constructor() {
    // Opened when first touched, and open from then on.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    this.#before = countResources();
    this.#hook.enable();
  }

  /** One text for each kind that there is more of than at the beginning: "2 timers (made at api.ts:3:5)". */
  list(): string[] {
    const found: string[] = [];
    for (const [type, count] of countResources()) {
      const kind = kinds[type];
      const more = count - (this.#before.get(type) ?? 0);
      if (kind === undefined || more <= 0) continue;
      const places = this.#listPlaces(kind.hookType);
      const where = places.length === 0 ? '' : ` (made at ${places.slice(0, 3).join(', ')})`;
      found.push(`${kind.words}${more === 1 ? '' : `, ${more} times`}${where}`);
    }
    return found;
  }

  close(): void {
    this.#hook.disable();
  }

  #note(id: number, hookType: string, resource: object): void {
    if (!hookTypes.has(hookType)) return;
    const place = findPlace(new Error());
    if (place !== null) this.#made.set(id, { hookType, place, resource: new WeakRef(resource) });
  }

  #listPlaces(hookType: string): string[] {
    const places = new Set<string>();
    for (const made of this.#made.values()) {
      const resource = made.resource.deref() as { hasRef?: () => boolean } | undefined;
      if (made.hookType === hookType && resource?.hasRef?.() !== false) places.add(made.place);
    }
    return [...places];
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
