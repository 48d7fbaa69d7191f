// What the tests of the CGI side share: scripted peers, a connection whose owner records, records of FastCGI as a peer
// writes them, and a reader of what a peer gets.

import type { Log } from '../../src/base/log.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { CgiProtocol } from '../../src/cgi/cgi-codec.ts';
import { CgiConnection } from '../../src/cgi/cgi-connection.ts';
import { ClientFailure } from '../../src/message/client-failure.ts';
import type { ClientAddress, ClientRequest } from '../../src/message/upstream-connection.ts';
import { type Outcome, type Peer, startPeer } from '../http1/client-peer.ts';

/** Variables as `ClientRequest.head` carries them. */
export const renderList = (variables: Record<string, string>): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('');

/** One FastCGI record, latin1. */
export function record(type: number, content: string, padding = 0, id = 1): string {
  const { length } = content;
  const header = [1, type, id >> 8, id & 255, length >> 8, length & 255, padding, 0];
  return String.fromCharCode(...header) + content + 'P'.repeat(padding);
}

export const stdout = (content: string, padding = 0) => record(6, content, padding);
export const stderr = (content: string, padding = 0) => record(7, content, padding);

/** The last record of a request. */
export function endRequest(protocolStatus = 0, appStatus = 0, padding = 0): string {
  const app = String.fromCharCode(
    appStatus >>> 24,
    (appStatus >> 16) & 255,
    (appStatus >> 8) & 255,
    appStatus & 255,
  );
  return record(3, `${app}${String.fromCharCode(protocolStatus)}\0\0\0`, padding);
}

/** A whole FastCGI answer. */
export const answer = (text: string, padding = 0) => stdout(text, padding) + endRequest();

/** Records that a FastCGI peer got, streams joined: "params" as a list of pairs. */
export interface GotRequest {
  readonly flags: number;
  readonly params: [string, string][];
  readonly stdin: string;
  readonly aborted: boolean;
  /** Whether both streams were ended. */
  readonly complete: boolean;
  /** The longest content of a record. */
  readonly longest: number;
}

/** Reads what a FastCGI peer got, with a parser that shares nothing with src/. */
export function readFastCgiRequests(input: string): GotRequest[] {
  const bytes = Buffer.from(input, 'latin1');
  const requests: (GotRequest & { text: string; ends: number })[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 4);
    const content = bytes.toString('latin1', at + 8, at + 8 + length);
    if (bytes[at] !== 1 || bytes.readUInt16BE(at + 2) !== 1) throw new Error('not our record');
    const type = bytes[at + 1];
    at += 8 + length + bytes[at + 6];
    if (type === 1) {
      if (content.charCodeAt(1) !== 1) throw new Error('not a responder');
      const start = { params: [], stdin: '', aborted: false, complete: false, longest: 0, text: '', ends: 0 };
      requests.push({ flags: content.charCodeAt(2), ...start });
      continue;
    }
    // A word about a request that was read before.
    const request = requests.at(-1);
    if (request === undefined) continue;
    const next = { ...request, longest: Math.max(request.longest, length) };
    if (type === 2) Object.assign(next, { aborted: true });
    if (type === 4) next.text += content;
    if (type === 5) Object.assign(next, { stdin: next.stdin + content });
    if ((type === 4 || type === 5) && length === 0) next.ends++;
    requests[requests.length - 1] = next;
  }
  return requests.map(({ text, ends, ...request }) => ({
    ...request,
    params: readPairs(text),
    complete: ends === 2,
  }));
}

function readPairs(text: string): [string, string][] {
  const bytes = Buffer.from(text, 'latin1');
  const pairs: [string, string][] = [];
  let at = 0;
  const readLength = (): number => {
    if (bytes[at] < 128) return bytes[at++];
    at += 4;
    return bytes.readUInt32BE(at - 4) & 0x7fffffff;
  };
  while (at < bytes.length) {
    const name = readLength();
    const value = readLength();
    pairs.push([text.slice(at, at + name), text.slice(at + name, at + name + value)]);
    at += name + value;
  }
  return pairs;
}

/** A peer with everything it got, that answers each request by what `answer` says of the connection's turn. */
export async function startCgiPeer(
  isComplete: (input: string) => boolean,
  reply: (turn: number) => string | null,
  endsAfterReply: boolean,
): Promise<Peer & { inputs: string[] }> {
  const inputs: string[] = [];
  const peer = await startPeer((socket) => {
    const at = inputs.push('') - 1;
    let turn = 0;
    let done = 0;
    socket.on('data', (data) => {
      inputs[at] += data.toString('latin1');
      if (!isComplete(inputs[at].slice(done))) return;
      done = inputs[at].length;
      const text = reply(turn++);
      if (text === null) socket.resetAndDestroy();
      else if (endsAfterReply) socket.end(text, 'latin1');
      else socket.write(text, 'latin1');
    });
  });
  return Object.assign(peer, { inputs });
}

/** Whether a FastCGI request has come whole. */
export const isWholeFastCgi = (input: string) => readFastCgiRequests(input).at(-1)?.complete === true;

/** What a test may set of a connection. */
export interface CgiClientOptions {
  readonly protocol?: CgiProtocol;
  readonly keepsAlive?: boolean;
  readonly connectTimeoutMs?: number;
  readonly head?: number;
}

/** A connection with a record of what its owner and the log were told. */
export class CgiClient {
  readonly timers = new TimerWheel(10);
  readonly events: string[] = [];
  readonly lines: string[] = [];
  readonly connection: CgiConnection;
  ends = 0;

  constructor(address: ClientAddress, options: CgiClientOptions = {}) {
    const log: Log = (level, message) =>
      void this.lines.push(`${level} ${typeof message === 'string' ? message : message()}`);
    this.connection = new CgiConnection({
      protocol: options.protocol ?? 'fastcgi',
      keepsAlive: options.keepsAlive ?? true,
      address,
      name: 'peer',
      connectTimeoutMs: options.connectTimeoutMs ?? 2000,
      timers: this.timers,
      log,
      limits: { head: options.head ?? 65_536, fields: 200 },
      owner: {
        onIdle: () => this.events.push('idle'),
        onClosed: () => this.events.push('closed'),
      },
    });
  }

  send(request: Partial<ClientRequest> = {}): Promise<Outcome> {
    return new Promise((resolve) => {
      this.connection.send(createCgiRequest(request), {
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
export function createCgiRequest(request: Partial<ClientRequest> = {}): ClientRequest {
  const method = request.method ?? 'GET';
  return {
    method,
    head: renderList({ REQUEST_METHOD: method, REQUEST_URI: '/x?y' }),
    body: null,
    sendTimeoutMs: 2000,
    readTimeoutMs: 2000,
    ...request,
  };
}
