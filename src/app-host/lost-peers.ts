// Notices that the other end of a connection is gone while nothing is read from it: a request whose body the application
// does not read stops the reading, and with it every word of an end.

import type { Socket } from 'node:net';
import type { TimerWheel } from '../base/timer-wheel.ts';

/** How often a connection that is not read from is looked at, in ms. */
const intervalMs = 1_000;

/**
 * Looks at the unix sockets that `list` gives, every second, as long as the wheel turns. One whose other end is closed
 * ends with the error EPIPE.
 */
export function watchForLostPeers(timers: TimerWheel, list: () => Iterable<Socket>): void {
  const deadline = timers.createDeadline(() => {
    for (const socket of list()) probe(socket);
    deadline.set(intervalMs);
  });
  deadline.set(intervalMs);
}

/**
 * A write of no bytes puts nothing on the wire, but the kernel refuses it when nobody is left to read. A write under way
 * learns that by itself.
 */
function probe(socket: Socket): void {
  if (!socket.destroyed && socket.writable && socket.writableLength === 0) socket.write('');
}
