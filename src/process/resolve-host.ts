// The addresses that a host name stands for on this machine.

import { lookup } from 'node:dns/promises';

/** One address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * Every address of a host, each once, in the order in which the system gives them; an address stands for itself.
 * Rejects with the system's error, ENOTFOUND as a rule.
 */
export async function resolveHost(host: string): Promise<HostAddress[]> {
  const found = await lookup(host, { all: true });
  const families = new Map(found.map(({ address, family }) => [address, family]));
  return [...families].map(([address, family]) => ({ address, family: family === 6 ? 6 : 4 }));
}
