// An upstream that believes everything: it keeps each byte it gets, and answers 200 to every request it can make out,
// with the request line in the body. What it saw is compared with what it should have seen.

import { createServer, type Socket } from 'node:net';
import { cleanUpLater } from '../support/clean-up.ts';
import { type SeenRequest, splitRequest } from './split-requests.ts';

/** A running upstream and what it has seen since `clear`. */
export interface RecordingUpstream {
  readonly port: number;
  /** Complete requests, in the order of their ends. */
  readonly requests: readonly SeenRequest[];
  /** What came on any connection and is no complete request. */
  readonly fragments: readonly string[];
  clear(): void;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const requests: SeenRequest[] = [];
  const rests = new Map<Socket, string>();
  // Connections whose fragment was there before the last `clear`.
  const known = new Set<Socket>();
  const server = createServer((socket) => {
    rests.set(socket, '');
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      let text = (rests.get(socket) ?? '') + chunk.toString('latin1');
      for (let split = splitRequest(text); split !== null; split = splitRequest(text)) {
        requests.push(split.request);
        text = text.slice(split.end);
        socket.write(answer(split.request.head[0]), 'latin1');
      }
      rests.set(socket, text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => {
    server.close();
    for (const socket of rests.keys()) socket.destroy();
  });
  return {
    port: (server.address() as { port: number }).port,
    requests,
    get fragments() {
      return [...rests].filter(([socket, rest]) => rest !== '' && !known.has(socket)).map(([, rest]) => rest);
    },
    clear: () => {
      requests.length = 0;
      for (const [socket, rest] of rests) {
        if (socket.destroyed) rests.delete(socket);
        else if (rest !== '') known.add(socket);
      }
    },
  };
}

function answer(requestLine: string): string {
  const body = requestLine.split(' ').slice(0, 2).join(' ');
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`;
  return requestLine.startsWith('HEAD ') ? head : head + body;
}
