// What the tests of the client side share: raw peers with planned behaviour, an owner that records, and a request
// whose outcome can be awaited.

import { createServer, type Server, type Socket } from 'node:net';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { ClientConnection } from '../../src/http1/client-connection.ts';
import type { BodySource, OnChunk } from '../../src/message/body.ts';
import { ClientFailure } from '../../src/message/client-failure.ts';
import type { ClientAddress, ClientRequest, ClientResponse } from '../../src/message/upstream-connection.ts';

/** A raw server and everything that it accepted. */
export interface Peer {
  readonly address: { host: string; port: number };
  readonly sockets: Socket[];
  close(): Promise<void>;
}

/** Starts a raw server on a free port of loopback. */
export async function startPeer(onSocket: (socket: Socket) => void): Promise<Peer> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    address: { host: '127.0.0.1', port: bound.port },
    sockets,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A peer that answers each read with the next text; what lies beyond the last is silence. */
export function startScriptedPeer(...answers: string[]): Promise<Peer> {
  return startPeer((socket) => {
    let turn = 0;
    socket.on('data', () => {
      const answer = answers[turn++];
      if (answer !== undefined) socket.write(answer, 'latin1');
    });
  });
}

/** How a request ended. */
export interface Outcome {
  readonly response: ClientResponse | null;
  readonly failure: Error | null;
}

/** A connection with a record of what its owner was told. */
export class Client {
  readonly timers = new TimerWheel(10);
  readonly events: string[] = [];
  readonly connection: ClientConnection;
  ends = 0;

  constructor(address: ClientAddress, connectTimeoutMs = 2000, head = 65536) {
    this.connection = new ClientConnection({
      address,
      tls: null,
      connectTimeoutMs,
      timers: this.timers,
      limits: { head, fields: 200 },
      owner: {
        onIdle: (_, idleTimeoutMs) =>
          this.events.push(idleTimeoutMs === null ? 'idle' : `idle ${idleTimeoutMs}`),
        onClosed: () => this.events.push('closed'),
      },
    });
  }

  send(request: Partial<ClientRequest> = {}): Promise<Outcome> {
    return new Promise((resolve) => {
      this.connection.send(createRequest(request), {
        onResponse: (response) => resolve({ response, failure: null }),
        onFailure: (failure) => resolve({ response: null, failure }),
        onEnd: () => this.ends++,
      });
    });
  }

  /** Sends a request that must fail in the connection, and returns the facts. */
  async fail(request: Partial<ClientRequest> = {}) {
    const { failure } = await this.send(request);
    if (!(failure instanceof ClientFailure)) throw new Error(`no ClientFailure: ${failure}`);
    return { code: failure.code, detail: failure.detail, ...failure.facts };
  }

  close(): void {
    this.connection.abort();
    this.timers.close();
  }
}

/** A GET, changed as asked. */
export function createRequest(request: Partial<ClientRequest> = {}): ClientRequest {
  const method = request.method ?? 'GET';
  return {
    method,
    head: `${method} / HTTP/1.1\r\nHost: test\r\n`,
    body: null,
    sendTimeoutMs: 2000,
    readTimeoutMs: 2000,
    ...request,
  };
}

/** A source of given pieces; each comes after `delayMs`, or at once when that is null. */
export class PieceSource implements BodySource {
  readonly length: number | null;
  readonly #pieces: (Uint8Array | Error)[];
  readonly #delayMs: number | null;
  cancelled = false;
  reads = 0;

  constructor(length: number | null, pieces: (Uint8Array | Error)[], delayMs: number | null = null) {
    this.length = length;
    this.#pieces = [...pieces];
    this.#delayMs = delayMs;
  }

  read(onChunk: OnChunk): void {
    this.reads++;
    const piece = this.#pieces.shift() ?? null;
    const answer = () => {
      if (this.cancelled) return;
      if (piece instanceof Error) onChunk(piece, null);
      else onChunk(null, piece);
    };
    if (this.#delayMs === null) answer();
    else setTimeout(answer, this.#delayMs);
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/** Reads a source to its end. Rejects with its error. */
export function readAll(source: BodySource): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const onChunk: OnChunk = (error, chunk) => {
      if (error !== null) reject(error);
      else if (chunk === null) resolve(Buffer.concat(chunks));
      else {
        chunks.push(chunk);
        source.read(onChunk);
      }
    };
    source.read(onChunk);
  });
}

/** The body of a response, whatever its kind. */
export async function readBody(response: ClientResponse | null): Promise<string> {
  if (response === null) throw new Error('no response');
  const { body } = response;
  if (body === null) return '';
  if (body.kind === 'bytes') return Buffer.from(body.bytes).toString('latin1');
  if (body.kind !== 'stream') throw new Error(`a ${body.kind}`);
  return (await readAll(body.source)).toString('latin1');
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits until `holds` is true, at most two seconds. */
export async function waitUntil(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 2000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error('waited two seconds in vain');
    await pause(2);
  }
}
