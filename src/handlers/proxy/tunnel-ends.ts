// How one end of a tunnel is closed without losing what was written to it, and without waiting for ever.

import type { Duplex } from 'node:stream';
import type { Deadline } from '../../base/timer-wheel.ts';

/** How long an end may take to read what is left and to close its side. */
const lingerMs = 5_000;

/**
 * Says the end and reads on until the other side has said it too: then a socket destroys itself. The owner of the
 * deadline destroys what has not come to its end when it expires.
 */
export function endPolitely(stream: Duplex, deadline: Deadline): void {
  if (stream.destroyed) return;
  deadline.set(lingerMs);
  stream.end();
  stream.resume();
}

/** Closes a socket so that the other side notices: what it got is not all. Only TCP can say so. */
export function resetStream(stream: Duplex): void {
  const socket = stream as Duplex & { remoteFamily?: string; resetAndDestroy?: () => void };
  if (socket.resetAndDestroy !== undefined && socket.remoteFamily !== undefined) socket.resetAndDestroy();
  else socket.destroy();
}
