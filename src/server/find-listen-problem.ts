// What stands in the way of listening that can be known before it is tried: addresses that include each other, and
// places where no socket can be made. What the system alone knows (a busy port) is left to the start.

import { lstatSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { dirname } from 'node:path';
import type { ListenAddress } from '../listener/listener-shape.ts';

/** Why no socket can be made at the path of a unix socket, in words; null when nothing is known against it. */
export function findSocketProblem({ path }: ListenAddress): string | null {
  if (path === null) return null;
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined) return found.isSocket() ? null : `${path} is there and is no socket`;
    const folder = dirname(path);
    return lstatSync(folder, { throwIfNoEntry: false }) === undefined ? `folder not found: ${folder}` : null;
  } catch {
    // No right to look, or a file on the way: the start will tell.
    return null;
  }
}

/** Whether some address may send heads of the PROXY protocol; `trustedProxies` as written. What is no list is passed over. */
export function hasHeadSender(trustedProxies: unknown): boolean {
  if (trustedProxies === undefined) return false;
  return !Array.isArray(trustedProxies) || trustedProxies.some((entry) => entry !== 'unix:');
}

/** Whether two different addresses share one port of one address of the machine, so that only one can be had. */
export function isOverlapping(a: ListenAddress, b: ListenAddress): boolean {
  if (a.path !== null || b.path !== null || a.port !== b.port || a.port === 0 || a.key === b.key)
    return false;
  return includes(a.host, b.host) || includes(b.host, a.host);
}

function includes(wide: string | null, narrow: string | null): boolean {
  // A socket for every IPv6 address takes IPv4 too.
  if (wide === null || wide === '::') return true;
  return wide === '0.0.0.0' && narrow !== null && isIPv4(narrow);
}
