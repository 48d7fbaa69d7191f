// A conversation with the inspector of another Node process: a WebSocket (RFC 6455) as small as that needs, with JSON
// commands and events on it. Everything ends when the time is up, whatever the other side does.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** An event of the inspector. */
export interface InspectorEvent {
  readonly method: string;
  readonly params: unknown;
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: unknown;
}

const textFrame = 1;
const closeFrame = 8;
/** More than the scripts and frames of any program come to. */
const maxFrameBytes = 16 * 1024 ** 2;

/** An open session. */
export class InspectorSession {
  readonly #socket: Socket;
  readonly #onEvent: (event: InspectorEvent) => void;
  readonly #open = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #received: Buffer;

  private constructor(socket: Socket, head: Buffer, onEvent: (event: InspectorEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    this.#received = head;
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
  }

  /** Connects to "ws://127.0.0.1:port/id". Rejects when that fails or takes too long. */
  static connect(
    url: string,
    timeoutMs: number,
    onEvent: (event: InspectorEvent) => void,
  ): Promise<InspectorSession> {
    const { hostname, port, pathname } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let received = Buffer.alloc(0);
      const fail = (why: string): void => {
        socket.destroy();
        reject(new Error(`the inspector ${why}`));
      };
      socket.setTimeout(timeoutMs, () => fail('does not answer'));
      socket.once('error', (error) => fail(`cannot be reached: ${error.message}`));
      socket.on('data', function read(bytes: Buffer) {
        received = Buffer.concat([received, bytes]);
        const end = received.indexOf('\r\n\r\n');
        if (end === -1) return;
        socket.off('data', read);
        socket.setTimeout(0);
        if (!received.toString('latin1').startsWith('HTTP/1.1 101 ')) fail('refuses');
        else resolve(new InspectorSession(socket, received.subarray(end + 4), onEvent));
      });
      const key = randomBytes(16).toString('base64');
      const fields = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${fields}\r\n\r\n`);
    });
  }

  /** Sends a command. Resolves to its result; rejects with what the inspector says, or when the session ends. */
  send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('the session has ended'));
        return;
      }
      this.#open.set(id, { resolve, reject });
      this.#socket.write(frameText(JSON.stringify({ id, method, params })));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    for (let frame = takeFrame(this.#received); frame !== null; frame = takeFrame(this.#received)) {
      this.#received = frame.rest;
      if (frame.opcode === closeFrame) this.close();
      else if (frame.opcode === textFrame) this.#onText(frame.payload.toString('utf8'));
    }
    if (this.#received.length > maxFrameBytes) this.close();
  }

  #onText(text: string): void {
    try {
      this.#onMessage(JSON.parse(text) as Message);
    } catch {
      // Another program's output must not become an exception of this one.
      this.close();
    }
  }

  #onMessage({ id, result, error, method, params }: Message): void {
    if (id === undefined) {
      this.#onEvent({ method: method ?? '', params });
      return;
    }
    const command = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) command?.resolve(result);
    else command?.reject(new Error(error.message));
  }

  #onClose(): void {
    for (const { reject } of this.#open.values()) reject(new Error('the session has ended'));
    this.#open.clear();
  }
}

/** One whole text frame, masked as every frame of a client. */
function frameText(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i & 3];
  const head = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  head[0] = 0x80 | textFrame;
  head[1] = 0x80 | Math.min(payload.length, 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, mask, payload]);
}

/** The first frame of what was received, if it is all there. A server does not mask; the inspector does not fragment. */
function takeFrame(bytes: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return null;
  let length = short;
  if (short === 126) length = bytes.readUInt16BE(2);
  else if (short === 127) length = Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return null;
  return {
    opcode: bytes[0] & 0x0f,
    payload: bytes.subarray(start, start + length),
    rest: bytes.subarray(start + length),
  };
}
