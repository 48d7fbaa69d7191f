// Where an application listens that stands behind the other servers, or is measured alone.

import type { Server } from 'node:net';

/** Listens at a port of 127.0.0.1 or at a unix socket. A connection that idles between two rounds is there in the next. */
export function listenAt(server: Server, address: string): void {
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = 0;
  const backlog = 4096;
  if (/^\d+$/.test(address)) server.listen({ port: Number(address), host: '127.0.0.1', backlog });
  else server.listen({ path: address, backlog });
}
