// A Node listener whose WebSockets are on the server that the instance has for it. They are closed when it ends.

import { WebSocketServer } from 'ws';
import type { InstanceContext, NodeListener } from '../../../src/gateway.ts';

export default ((_, response) => response.end('http')) satisfies NodeListener;

export function init({ server, signal }: InstanceContext): void {
  if (server === null) throw new Error('this needs "interface": "node"');
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  signal.addEventListener('abort', () => {
    for (const socket of sockets.clients) socket.close(1001, 'the server goes away');
  });
}
