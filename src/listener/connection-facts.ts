// What is known of a connection from its socket alone.

import type { Socket } from 'node:net';
import type { ConnectionFacts } from '../message/exchange.ts';

let serial = 0;

/** Reads the facts of a socket just accepted. Null when its peer is already gone. */
export function readConnectionFacts(socket: Socket, listenerKey: string): ConnectionFacts | null {
  const isUnix = listenerKey.startsWith('unix:');
  if (!isUnix && socket.remoteAddress === undefined) return null;
  return {
    peerAddress: isUnix ? 'unix:' : toPlainAddress(socket.remoteAddress ?? ''),
    peerPort: socket.remotePort ?? 0,
    localAddress: isUnix ? listenerKey : toPlainAddress(socket.localAddress ?? ''),
    localPort: socket.localPort ?? 0,
    scheme: 'http',
    listenerKey,
    serial: ++serial,
  };
}

/** An IPv4 address that came over an IPv6 socket is written as the IPv4 address it is. */
function toPlainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
