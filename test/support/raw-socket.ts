// Bytes out, bytes in: a client that can say what no well-behaved client says, split wherever a test wants.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUpLater } from './clean-up.ts';
import { parseReplies, type RawReply } from './parse-replies.ts';
import { waitUntil } from './wait-until.ts';

/** How to send. */
export interface SendOptions {
  /** Positions at which the bytes are cut; each part is written by itself, 2 ms after the one before. */
  readonly splitAt?: readonly number[];
}

/** An open connection. */
export interface RawSocket {
  readonly socket: Socket;
  /** Everything received so far. */
  readonly received: Buffer;
  /** "end" when the peer said so, "reset" when it cut the connection, null while it is open. */
  readonly closedBy: 'end' | 'reset' | null;
  send(bytes: string | Uint8Array, options?: SendOptions): Promise<void>;
  /** Waits for `count` complete final replies and gives them (and 1xx before them). */
  readReplies(count: number, methods?: readonly string[], timeoutMs?: number): Promise<RawReply[]>;
  /** Waits until the peer closes, and gives all that came. */
  readUntilClose(timeoutMs?: number): Promise<Buffer>;
  /** Waits until nothing has come for `idleMs` (default 100), and gives all that came. */
  readUntilIdle(idleMs?: number): Promise<Buffer>;
  destroy(): void;
}

/** Opens a connection to a port of 127.0.0.1 or a unix socket. Destroyed when the test file ends. */
export async function openRawSocket(address: number | string): Promise<RawSocket> {
  const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
  socket.setNoDelay(true);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const takeBack = cleanUpLater(() => socket.destroy());
  return watchSocket(socket, takeBack);
}

function watchSocket(socket: Socket, onClose: () => void): RawSocket {
  const chunks: Buffer[] = [];
  let closedBy: 'end' | 'reset' | null = null;
  let lastByteAtMs = performance.now();
  socket.on('data', (chunk: Buffer) => {
    lastByteAtMs = performance.now();
    chunks.push(chunk);
  });
  socket.on('end', () => {
    closedBy ??= 'end';
  });
  socket.on('error', () => {
    closedBy ??= 'reset';
  });
  socket.on('close', onClose);
  const raw: RawSocket = {
    socket,
    get received() {
      return Buffer.concat(chunks);
    },
    get closedBy() {
      return closedBy;
    },
    send: (bytes, options) => sendParts(socket, bytes, options?.splitAt ?? []),
    readReplies: async (count, methods = [], timeoutMs = 5000) => {
      const read = () => parseReplies(raw.received, methods, closedBy !== null);
      const isThere = () =>
        closedBy !== null || read().filter((reply) => reply.complete && reply.status >= 200).length >= count;
      await waitUntil(`${count} replies`, isThere, timeoutMs).catch((error: Error) => {
        throw new Error(`${error.message}; came: ${raw.received.toString('latin1')}`);
      });
      return read();
    },
    readUntilClose: async (timeoutMs = 5000) => {
      await waitUntil('the peer closes the connection', () => closedBy !== null, timeoutMs);
      return raw.received;
    },
    readUntilIdle: async (idleMs = 100) => {
      lastByteAtMs = performance.now();
      while (closedBy === null && performance.now() - lastByteAtMs < idleMs) await sleep(10);
      return raw.received;
    },
    destroy: () => socket.destroy(),
  };
  return raw;
}

async function sendParts(
  socket: Socket,
  bytes: string | Uint8Array,
  splitAt: readonly number[],
): Promise<void> {
  const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
  const cuts = [0, ...splitAt.filter((position) => position > 0 && position < all.length), all.length];
  for (let i = 0; i + 1 < cuts.length && !socket.destroyed; i++) {
    if (i > 0) await sleep(2);
    socket.write(all.subarray(cuts[i], cuts[i + 1]));
  }
}

/** Opens a connection, sends, waits until the peer closes or is silent for `idleMs`, and gives what came. */
export async function exchangeBytes(
  address: number | string,
  bytes: string | Uint8Array,
  options: SendOptions & { idleMs?: number } = {},
): Promise<{ bytes: Buffer; closedBy: 'end' | 'reset' | null }> {
  const raw = await openRawSocket(address);
  await raw.send(bytes, options);
  const received = await raw.readUntilIdle(options.idleMs ?? 300);
  raw.destroy();
  return { bytes: received, closedBy: raw.closedBy };
}
