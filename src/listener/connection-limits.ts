// How many connections one process takes at once, in all and from one address. Counts; what happens to a connection
// beyond a limit is the listener's to decide.

/** The limits. 0 means none. */
export interface ConnectionLimitSettings {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** What a new connection meets. */
export type Admission = 'admitted' | 'too-many' | 'too-many-from-address';

/** The connections of all listeners of a process. */
export class ConnectionLimits {
  #settings: ConnectionLimitSettings = { connections: 0, connectionsPerAddress: 0 };
  #isExempt: (address: string) => boolean = () => false;
  #total = 0;
  readonly #byAddress = new Map<string, number>();

  /** @param isExempt whether an address speaks for many clients (a trusted proxy): it has no limit of its own */
  configure(settings: ConnectionLimitSettings, isExempt: (address: string) => boolean): void {
    this.#settings = settings;
    this.#isExempt = isExempt;
  }

  /** Counts a connection, if it may come in. Every one that does is given to {@link release} once. */
  admit(address: string): Admission {
    const { connections, connectionsPerAddress } = this.#settings;
    if (connections > 0 && this.#total >= connections) return 'too-many';
    const fromAddress = this.#byAddress.get(address) ?? 0;
    const isLimited = connectionsPerAddress > 0 && address !== 'unix:' && !this.#isExempt(address);
    if (isLimited && fromAddress >= connectionsPerAddress) return 'too-many-from-address';
    this.#total++;
    this.#byAddress.set(address, fromAddress + 1);
    return 'admitted';
  }

  /** A connection that was admitted is gone. */
  release(address: string): void {
    this.#total--;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }

  /** How many connections are open. */
  get total(): number {
    return this.#total;
  }
}
