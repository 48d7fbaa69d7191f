// The cheapest HTTP/1.1 upstream there is: the same answer for each request head, however many come at once.
// Argument: port.

import { createServer } from 'node:net';

const answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n';

createServer((socket) => {
  let pending = '';
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const heads = (pending + chunk.toString('latin1')).split('\r\n\r\n');
    pending = heads.pop() ?? '';
    if (heads.length > 0) socket.write(answer.repeat(heads.length));
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
