// The next free port (--auto-port). Found by binding: only that tells. Whoever takes it between this and the start wins.

import { type BindAddress, bindSockets, closeSocket, type ListenError } from '../process/bind-socket.ts';

/** A port to listen on, and why it is not the one that was asked for. */
export interface PortChoice {
  readonly port: number;
  /** A sentence; "" when the port is the one that was asked for. */
  readonly obstacle: string;
}

/** The port of an address, or the first free one behind it. What else is wrong with the address is left to the start. */
export async function choosePort(address: BindAddress): Promise<PortChoice> {
  let obstacle = '';
  for (let port = address.port; port <= 65_535; port++) {
    const refusal = await tryBind({ ...address, port });
    if (refusal === null) return { port, obstacle };
    if (refusal.code !== 'EADDRINUSE') break;
    if (obstacle === '') obstacle = refusal.message;
  }
  return { port: address.port, obstacle: '' };
}

async function tryBind(address: BindAddress): Promise<ListenError | null> {
  try {
    for (const socket of await bindSockets(address)) closeSocket(socket);
    return null;
  } catch (error) {
    return error as ListenError;
  }
}
