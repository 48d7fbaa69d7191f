// An upstream that misbehaves on demand: a raw server that remembers which requests it was given in full.

import { createServer, type Server, type Socket } from 'node:net';
import { cleanUpLater } from './clean-up.ts';

/** What a peer does with connections and requests. `healthy` and `slow` answer every request. */
export type ChaosMode =
  | 'healthy'
  | 'slow'
  | 'refuse'
  | 'hang'
  | 'reset'
  | 'reset-later'
  | 'half'
  | 'late'
  | 'close-idle';

/** Every mode but `healthy`. */
export const chaosModes: readonly ChaosMode[] = [
  'slow',
  'refuse',
  'hang',
  'reset',
  'reset-later',
  'half',
  'late',
  'close-idle',
];

/** A running peer. */
export interface ChaosPeer {
  readonly name: string;
  readonly url: string;
  readonly mode: ChaosMode;
  /** How often each request came, by its X-Id. */
  readonly received: ReadonlyMap<string, number>;
  /** Returns once the peer listens, or no longer does. */
  setMode(mode: ChaosMode): Promise<void>;
}

/** Later than any test waits for an answer. */
const lateMs = 700;

/** Starts a healthy peer that answers with its name. */
export async function startChaosPeer(name: string): Promise<ChaosPeer> {
  const peer = new RawPeer(name);
  await peer.listen();
  cleanUpLater(() => peer.close());
  return peer;
}

class RawPeer implements ChaosPeer {
  readonly name: string;
  readonly received = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  mode: ChaosMode = 'healthy';

  constructor(name: string) {
    this.name = name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async setMode(mode: ChaosMode): Promise<void> {
    this.mode = mode;
    if (mode === 'refuse') await this.close();
    else if (this.#server === null) await this.listen();
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    if (this.mode === 'reset') {
      socket.resetAndDestroy();
      return;
    }
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = findEnd(text); end !== -1; end = findEnd(text)) {
        this.#note(text);
        text = text.slice(end);
        this.#answer(socket);
      }
    });
  }

  #note(head: string): void {
    const id = /\r\nX-Id: (\S+)/i.exec(head)?.[1];
    if (id !== undefined) this.received.set(id, (this.received.get(id) ?? 0) + 1);
  }

  #answer(socket: Socket): void {
    const text = `HTTP/1.1 200 OK\r\nX-Upstream: ${this.name}\r\nContent-Length: 2\r\n\r\nok`;
    switch (this.mode) {
      case 'hang':
        return;
      case 'reset':
        socket.resetAndDestroy();
        return;
      case 'reset-later':
        setTimeout(() => socket.resetAndDestroy(), Math.random() * 20);
        return;
      case 'half':
        socket.end(text.slice(0, 20));
        return;
      case 'late':
        setTimeout(() => socket.writable && socket.write(text), lateMs);
        return;
      case 'slow':
        setTimeout(() => socket.writable && socket.write(text), 20 + Math.random() * 60);
        return;
      case 'close-idle':
        socket.write(text);
        setTimeout(() => socket.end(), Math.random() * 10);
        return;
      default:
        socket.write(text);
    }
  }
}

/** Where the first request of a text ends, or -1 when it is not all there. */
function findEnd(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return -1;
  const length = Number(/\r\nContent-Length: (\d+)/i.exec(text.slice(0, end + 2))?.[1] ?? 0);
  return text.length >= end + 4 + length ? end + 4 + length : -1;
}
