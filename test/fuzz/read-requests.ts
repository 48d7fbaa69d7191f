// The same bytes read by our engine and by Node's own parser, each over a socket in memory: what requests each of
// them believes to have got.

import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { ServerConnectionOptions } from '../../src/http1/http1-settings.ts';
import { ServerConnection } from '../../src/http1/server-connection.ts';
import type { OnChunk } from '../../src/message/body.ts';
import type { Exchange } from '../../src/message/exchange.ts';
import { createTextReply, type Reply } from '../../src/message/reply.ts';
import { MemorySocket } from './memory-socket.ts';

/** A request as one of the parsers has it. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  /** Names and values in wire order. */
  readonly fields: readonly string[];
  /** Latin1. */
  body: string;
  /** Whether the body came to its proper end. */
  complete: boolean;
}

/** What became of some input. */
export interface ReadResult {
  readonly requests: ReadRequest[];
  /** Bytes that were answered. */
  readonly written: Buffer;
}

const timers = new TimerWheel();
const settings = {
  timeouts: { header: 60_000, body: 60_000, send: 60_000, keepalive: 60_000 },
  limits: { head: 16 * 1024, fields: 100, target: 8 * 1024, bodyRate: 240 },
};

/** Feeds parts to our engine. */
export async function readWithOurs(parts: readonly Buffer[]): Promise<ReadResult> {
  const requests: ReadRequest[] = [];
  const options: ServerConnectionOptions = {
    timers,
    settings,
    dispatcher: {
      dispatch: (exchange) => readExchange(exchange, requests),
      refuse: (error) => createTextReply(error.status, error.code),
      finish: () => {},
    },
    onClose: () => {},
  };
  const socket = new MemorySocket();
  const facts = { peerAddress: '127.0.0.1', peerPort: 1, localAddress: '127.0.0.1', localPort: 2, serial: 1 };
  const where = { ...facts, scheme: 'http' as const, listenerKey: 'tcp:*:1' };
  const connection = new ServerConnection(socket as unknown as Socket, where, options);
  socket.on('data', (chunk: Buffer) => connection.receive(chunk, chunk.length));
  await feed(socket, parts);
  return { requests, written: Buffer.concat(socket.written) };
}

function readExchange(exchange: Exchange, requests: ReadRequest[]): Promise<Reply> {
  const { method, target, fields, body } = exchange;
  const request: ReadRequest = { method, target, fields, body: '', complete: false };
  requests.push(request);
  return new Promise((resolve) => {
    const onChunk: OnChunk = (error, chunk) => {
      if (error !== null) resolve(createTextReply(400, 'body'));
      else if (chunk === null) {
        request.complete = true;
        resolve(createTextReply(200, 'x'));
      } else {
        request.body += Buffer.from(chunk).toString('latin1');
        body.read(onChunk);
      }
    };
    body.read(onChunk);
  });
}

const nodeServer = createServer({ insecureHTTPParser: false, keepAlive: false });
// Left open: closing it would swallow the ends of requests that were whole.
nodeServer.on('clientError', () => {});
const nodeRequests = new WeakMap<object, ReadRequest[]>();
nodeServer.on('request', (message: IncomingMessage, response) => {
  const { method = '', url = '', rawHeaders } = message;
  const request: ReadRequest = { method, target: url, fields: rawHeaders, body: '', complete: false };
  nodeRequests.get(message.socket)?.push(request);
  message.on('data', (chunk: Buffer) => {
    request.body += chunk.toString('latin1');
  });
  message.on('end', () => {
    request.complete = true;
    response.end('x');
  });
  message.on('error', () => {});
});

/** Feeds parts to Node's HTTP server. */
export async function readWithNode(parts: readonly Buffer[]): Promise<ReadResult> {
  const requests: ReadRequest[] = [];
  const socket = new MemorySocket();
  socket.on('error', () => {});
  nodeRequests.set(socket, requests);
  nodeServer.emit('connection', socket);
  await feed(socket, parts);
  return { requests, written: Buffer.concat(socket.written) };
}

/** Turns of the event loop without any news after which nothing more is expected. */
const quietTurns = 3;

async function feed(socket: MemorySocket, parts: readonly Buffer[]): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    // Each reader gets bytes of its own: ours decodes chunks in place.
    socket.push(Buffer.from(part));
    await turn();
  }
  let quiet = 0;
  let before = socket.written.length;
  while (quiet < quietTurns && !socket.destroyed) {
    await turn();
    quiet = socket.written.length === before ? quiet + 1 : 0;
    before = socket.written.length;
  }
  socket.push(null);
  await turn();
  socket.destroy();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
