// Binds listening sockets without listening on them: the master keeps them for good, workers listen and accept.
// What stands in the way (a busy port, a stale socket file) is told in words or cleared away.

import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { describePortHolder } from './port-holder.ts';
import { type HostAddress, resolveHost } from './resolve-host.ts';
import { isSocketAnswered } from './socket-probe.ts';

/** Where to listen. */
export interface BindAddress {
  readonly key: string;
  /** null for every address of the machine. */
  readonly host: string | null;
  readonly port: number;
  /** Absolute path of a unix socket, else null. */
  readonly path: string | null;
}

/** A handle of Node's, as far as it is used here. It can be sent to a child and listened on. */
export interface SocketHandle {
  getsockname?(out: { address?: string; port?: number }): number;
  close(): void;
}

/** A socket that is bound. */
export interface BoundSocket {
  /** No two sockets have the same: the key of the address, with a number behind it from the second of a name on. */
  readonly id: string;
  readonly address: BindAddress;
  readonly handle: SocketHandle;
  /** What it is bound to, for people: "http://127.0.0.1:8080", "unix:/run/site.sock". */
  readonly name: string;
  /** The port that the system gave; 0 for a unix socket. */
  readonly port: number;
}

/** An address that cannot be listened on. The message names it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Node keeps this for its own cluster module: the one way to a socket that is bound and not listening. */
const createHandle = (
  net as unknown as {
    _createServerHandle(
      address: string | null,
      port: number,
      addressType: 4 | 6 | -1,
      fd?: number,
    ): SocketHandle | number;
  }
)._createServerHandle;

/**
 * Binds one address: a socket, or one for each address that its host name stands for, all with the same port. Rejects
 * with a {@link ListenError}; then nothing was bound.
 */
export async function bindSockets(address: BindAddress): Promise<BoundSocket[]> {
  if (address.path !== null) return [await bindPath(address, address.path)];
  return address.host === null ? [bindEverywhere(address)] : bindHost(address, address.host);
}

/** A socket as people write it. */
export function formatAddress(host: string | null, port: number): string {
  if (host === null || host === '::' || host === '0.0.0.0') return `http://localhost:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What a failed bind or listen means, with what can be done about it. */
export function createListenError(address: BindAddress, code: string): ListenError {
  const where = address.path ?? `${address.host ?? '*'}:${address.port}`;
  const holder = code === 'EADDRINUSE' && address.path === null ? describePortHolder(address.port) : '';
  const isPrivileged = code === 'EACCES' && address.path === null && address.port < 1024;
  const hint = isPrivileged ? ' (ports below 1024 may need root or CAP_NET_BIND_SERVICE)' : holder;
  return new ListenError(code, `cannot listen on ${where}: ${reasons[code] ?? code}${hint}`);
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use',
  EACCES: 'permission denied',
  ENOENT: 'its folder does not exist',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the host name is not known',
};

function bindEverywhere(address: BindAddress): BoundSocket {
  const dual = tryBind('::', address.port, 6);
  // A machine without IPv6 says so in one of several ways; a busy port is busy.
  if (typeof dual !== 'string') return finishPort(address, dual);
  if (dual === 'EADDRINUSE' || dual === 'EACCES') throw createListenError(address, dual);
  const single = tryBind('0.0.0.0', address.port, 4);
  if (typeof single === 'string') throw createListenError(address, single);
  return finishPort(address, single);
}

/** How often the system is asked for a port that is free on every address of a name. */
const mostPortTries = 10;

async function bindHost(address: BindAddress, host: string): Promise<BoundSocket[]> {
  let found: readonly HostAddress[];
  try {
    found = await resolveHost(host);
  } catch (error) {
    throw createListenError(address, (error as NodeJS.ErrnoException).code ?? 'ENOTFOUND');
  }
  for (let tries = 1; ; tries++) {
    const bound = tryBindAll(address, found);
    if (typeof bound !== 'string') return bound;
    const isChance = bound === 'EADDRINUSE' && address.port === 0 && tries < mostPortTries;
    if (!isChance) throw createListenError(address, bound);
  }
}

/** A socket for each address that this machine has, or the name of what went wrong; then none is bound. */
function tryBindAll(address: BindAddress, found: readonly HostAddress[]): BoundSocket[] | string {
  const bound: BoundSocket[] = [];
  let missing = 'ENOTFOUND';
  for (const { address: host, family } of found) {
    // The system chooses a port once, for all of them.
    const handle = tryBind(host, bound[0]?.port ?? address.port, family);
    if (typeof handle !== 'string') {
      bound.push(finishPort(address, handle, bound.length));
    } else if (isFamilyMissing(handle)) {
      // Names such as "localhost" have an IPv6 address also where the machine has none.
      missing = handle;
    } else {
      for (const socket of bound) socket.handle.close();
      return handle;
    }
  }
  return bound.length > 0 ? bound : missing;
}

function isFamilyMissing(code: string): boolean {
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

/** The handle, or the name of what went wrong. */
function tryBind(host: string, port: number, family: 4 | 6): SocketHandle | string {
  const handle = createHandle(host, port, family, -1);
  if (typeof handle === 'number') return getSystemErrorName(handle);
  // libuv keeps a failed bind to itself until somebody asks for the name of the socket.
  const code = handle.getsockname?.({}) ?? 0;
  if (code === 0) return handle;
  handle.close();
  return getSystemErrorName(code);
}

function finishPort(address: BindAddress, handle: SocketHandle, earlier = 0): BoundSocket {
  const bound: { address?: string; port?: number } = {};
  handle.getsockname?.(bound);
  const port = bound.port ?? address.port;
  const id = earlier === 0 ? address.key : `${address.key} ${earlier + 1}`;
  return { id, address, handle, port, name: formatAddress(address.host, port) };
}

async function bindPath(address: BindAddress, path: string): Promise<BoundSocket> {
  await removeStaleSocket(address, path);
  const handle = createHandle(path, -1, -1);
  if (typeof handle === 'number') {
    // libuv says EACCES of a missing folder.
    const code = existsSync(dirname(path)) ? getSystemErrorName(handle) : 'ENOENT';
    throw createListenError(address, code);
  }
  try {
    // As nginx: whoever may enter the folder may connect.
    chmodSync(path, 0o666);
  } catch (error) {
    handle.close();
    throw createListenError(address, (error as NodeJS.ErrnoException).code ?? 'EACCES');
  }
  return { id: address.key, address, handle, port: 0, name: `unix:${path}` };
}

async function removeStaleSocket(address: BindAddress, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new ListenError(
      'EEXIST',
      `cannot listen on ${path}: there is a file of that name that is no socket`,
    );
  }
  if (await isSocketAnswered(path)) throw createListenError(address, 'EADDRINUSE');
  unlinkSync(path);
}

/** Closes a bound socket; the file of a unix socket goes with it. */
export function closeSocket(socket: BoundSocket): void {
  socket.handle.close();
  if (socket.address.path === null) return;
  try {
    unlinkSync(socket.address.path);
  } catch {
    // Closing the handle has removed it already.
  }
}
