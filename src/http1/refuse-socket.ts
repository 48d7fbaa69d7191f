// What a connection gets for which there is no room: a 503 that costs nearly nothing, and a quick end.

import type { Socket } from 'node:net';

const response = Buffer.from(
  'HTTP/1.1 503 Service Unavailable\r\nServer: tsserve\r\nRetry-After: 1\r\n' +
    'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 24\r\nConnection: close\r\n\r\n' +
    '503 Service Unavailable\n',
  'latin1',
);

/** How long a refused client has to read its answer, in ms. */
const readTimeMs = 1_000;
/** Refused connections that are given that time at once; under a flood the others are just cut. */
const maxRefused = 256;

let refused = 0;

/** Answers 503 without reading a request, and closes. */
export function refuseSocket(socket: Socket): void {
  socket.on('error', () => {});
  if (refused >= maxRefused) {
    socket.destroy();
    return;
  }
  refused++;
  const timer = setTimeout(() => socket.destroy(), readTimeMs).unref();
  socket.once('close', () => {
    refused--;
    clearTimeout(timer);
  });
  socket.end(response);
  // What the client sends is thrown away: closing with bytes unread could cost it the answer.
  socket.on('end', () => socket.destroy());
  socket.resume();
}
