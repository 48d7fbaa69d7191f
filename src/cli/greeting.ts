// Where a folder is served, for people: the addresses to open, here and from other machines.

import type { NetworkInterfaceInfo } from 'node:os';
import type { BoundSocket } from '../process/bind-socket.ts';

/** One address of the server. */
export interface ServedAddress {
  /** Whether it is the one to use on this machine. */
  readonly isLocal: boolean;
  /** Whether its socket is closed to other machines. */
  readonly isPrivate: boolean;
  /** "http://localhost:8080/", or "unix:/run/site.sock". */
  readonly url: string;
}

type Place = Pick<BoundSocket, 'address' | 'name' | 'port'>;
type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Each address once, those of this machine first. A socket on all addresses stands for each IPv4 address there is. */
export function listAddresses(places: readonly Place[], interfaces: Interfaces): ServedAddress[] {
  const addresses = new Map<string, ServedAddress>();
  const add = (url: string, isLocal: boolean, isPrivate: boolean): void => {
    addresses.set(url, { url, isLocal, isPrivate });
  };
  for (const { address, name, port } of places) {
    if (address.path !== null) {
      add(name, true, true);
    } else if (address.host === null || address.host === '::' || address.host === '0.0.0.0') {
      add(`${name}/`, true, false);
      for (const host of listOutsideHosts(interfaces)) add(`http://${host}:${port}/`, false, false);
    } else {
      const isLocal = isLoopback(address.host);
      add(`${name}/`, isLocal, isLocal);
    }
  }
  return [...addresses.values()].sort((a, b) => Number(b.isLocal) - Number(a.isLocal));
}

function listOutsideHosts(interfaces: Interfaces): string[] {
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  return all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host);
}

/** Lines with a title and the addresses. Ends with an empty line. */
export function formatGreeting(title: string, addresses: readonly ServedAddress[], color: boolean): string {
  const paint = (code: number, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const writeLine = (label: string, text: string): string =>
    `  ${paint(32, '➜')}  ${paint(1, `${label}:`.padEnd(8))}  ${text}`;
  const lines = addresses.map(({ isLocal, url }) => writeLine(isLocal ? 'Local' : 'Network', paint(36, url)));
  const isHidden = addresses.every(({ isPrivate, url }) => isPrivate && url.startsWith('http'));
  if (isHidden) lines.push(writeLine('Network', paint(2, 'none; --host 0.0.0.0 lets other machines in')));
  return `\n  ${paint(1, title)}\n\n${lines.join('\n')}\n\n`;
}
