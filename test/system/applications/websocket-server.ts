// A server of Node with WebSockets, as it is written everywhere: only that it does not listen.

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_, response) => void response.end('http'));
const sockets = new WebSocketServer({ server, path: '/sockets/server' });

sockets.on('connection', (socket, request) => {
  socket.on('message', (data, isBinary) => socket.send(isBinary ? data : `${request.url}: ${data}`));
});

export default server;
