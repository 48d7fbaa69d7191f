// Both ends of one connection for many requests: a front worker's link, and a server with a dispatcher of the test.

import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { BodySource } from '../../src/message/body.ts';
import type { ConnectionFacts, Exchange } from '../../src/message/exchange.ts';
import type { Fields } from '../../src/message/fields.ts';
import type { Dispatcher } from '../../src/message/handler.ts';
import type { ClientResponse } from '../../src/message/upstream-connection.ts';
import { MuxLink } from '../../src/mux/mux-link.ts';
import { MuxServer } from '../../src/mux/mux-server.ts';
import type { MuxStream } from '../../src/mux/mux-stream.ts';
import { cleanUpLater } from '../support/clean-up.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const facts: ConnectionFacts = {
  peerAddress: 'unix:',
  peerPort: 0,
  localAddress: 'unix:',
  localPort: 0,
  scheme: 'http',
  listenerKey: '',
  serial: 1,
};

/** What one request came to. */
export interface Outcome {
  response: ClientResponse | null;
  failure: Error | null;
  ended: boolean;
}

/** The two ends. */
export interface MuxBed {
  readonly link: MuxLink;
  readonly server: MuxServer;
  /** The server's side of the connection. */
  readonly socket: Socket;
  readonly finished: Exchange[];
  /** Whether the link is gone, and whether it says that it was refused. */
  closed: { refused: boolean } | null;
  send(
    target: string,
    options?: { method?: string; readTimeoutMs?: number; firstByteTimeoutMs?: number },
  ): Outcome & { stream: MuxStream };
}

/** Starts both ends. */
export async function startMux(
  dispatch: Dispatcher['dispatch'],
  { refuse = refuseNothing }: { refuse?: Dispatcher['refuse'] } = {},
): Promise<MuxBed> {
  const path = join(createTempFolder(), 'mux.sock');
  const finished: Exchange[] = [];
  let server: MuxServer | null = null;
  let socket: Socket | null = null;
  const listener = await listen(path, (accepted) => {
    socket = accepted;
    accepted.once('data', (early: Buffer) => {
      const behind = early.subarray(early.indexOf('\r\n\r\n') + 4);
      const dispatcher = {
        dispatch,
        refuse,
        finish: (exchange: Exchange) => void finished.push(exchange),
      };
      server = new MuxServer(accepted, behind, {
        facts,
        dispatcher,
        limits: { head: 65_536, fields: 100, target: 8192 },
      });
    });
  });
  const timers = new TimerWheel(10);
  const bed = { closed: null } as Pick<MuxBed, 'closed'>;
  const link = new MuxLink({
    path,
    timers,
    onClosed: (refused) => {
      bed.closed = { refused };
    },
  });
  cleanUpLater(() => {
    link.close();
    socket?.destroy();
    listener.close();
    timers.close();
  });
  await waitUntil('the link is there', () => link.ready, 5000);
  if (server === null || socket === null) throw new Error('the server did not take part');
  return Object.assign(bed, { link, server, socket, finished, send: createSender(link) });
}

function refuseNothing(): never {
  throw new Error('nothing is refused here');
}

/** Listens on a unix socket. */
export async function listen(path: string, onSocket: (socket: Socket) => void): Promise<Server> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  return listener;
}

function createSender(link: MuxLink): MuxBed['send'] {
  return (target, { method = 'GET', readTimeoutMs = 0, ...rest } = {}) => {
    const stream = link.takeStream();
    const outcome = { response: null, failure: null, ended: false, stream } as Outcome & {
      stream: MuxStream;
    };
    const head = `${method} ${target} HTTP/1.1\r\nHost: a\r\n`;
    stream.send(
      { method, head, body: null, sendTimeoutMs: 0, readTimeoutMs, ...rest },
      {
        onResponse: (response) => {
          outcome.response = response;
        },
        onFailure: (error) => {
          outcome.failure = error;
        },
        onEnd: () => {
          outcome.ended = true;
        },
      },
    );
    return outcome;
  };
}

/** Reads a response's body to its end. */
export async function readBody(response: ClientResponse | null): Promise<Buffer> {
  const body = response?.body ?? null;
  if (body === null) return Buffer.alloc(0);
  if (body.kind === 'bytes') return Buffer.from(body.bytes);
  if (body.kind !== 'stream') throw new Error('no body to be read');
  return readSource(body.source);
}

/** Reads a source to its end; every chunk's memory is given back, as a quick writer does. */
export async function readSource(source: BodySource): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await new Promise<Uint8Array | null>((resolve, reject) => {
      source.read((error, bytes) => (error === null ? resolve(bytes) : reject(error)));
    });
    if (chunk === null) return Buffer.concat(chunks);
    chunks.push(Buffer.from(chunk));
    source.recycle?.(chunk);
  }
}

/** A source of given chunks, that then ends or fails. */
export class ChunkSource implements BodySource {
  readonly length: number | null;
  readonly #chunks: Uint8Array[];
  readonly #error: Error | null;
  readBytes = 0;
  cancelled = false;

  constructor(chunks: Uint8Array[], length: number | null, error: Error | null = null) {
    this.length = length;
    this.#chunks = [...chunks];
    this.#error = error;
  }

  read(onChunk: (error: Error | null, chunk: Uint8Array | null) => void): void {
    const chunk = this.#chunks.shift();
    this.readBytes += chunk?.length ?? 0;
    // Sometimes at once, sometimes later: both are allowed.
    if (this.#chunks.length % 2 === 0) this.#answer(chunk, onChunk);
    else setImmediate(() => this.#answer(chunk, onChunk));
  }

  cancel(): void {
    this.cancelled = true;
  }

  #answer(
    chunk: Uint8Array | undefined,
    onChunk: (error: Error | null, chunk: Uint8Array | null) => void,
  ): void {
    if (chunk !== undefined) onChunk(null, chunk);
    else onChunk(this.#error, null);
  }
}

/** The field of a response. */
export function findField(fields: Fields, name: string): string | undefined {
  const at = fields.indexOf(name);
  return at === -1 ? undefined : fields[at + 1];
}
