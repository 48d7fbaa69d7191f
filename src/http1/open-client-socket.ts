// Opens the socket of a connection to an upstream: plain, or with TLS, and with what some servers want to read first.
// Deadlines, and what is said on the socket, are its owner's.

import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import type { ClientAddress } from '../message/upstream-connection.ts';
import { loadTls } from './load-tls.ts';

/** What TLS to one peer is spoken with. Sessions are kept in it, so each peer has its own. */
export interface ClientTls {
  readonly context: SecureContext;
  /** The name, or the address, that the certificate must have. Asked for (SNI) unless it is an address. */
  readonly name: string;
  readonly isAddress: boolean;
  readonly verify: boolean;
  /** The session to resume, by whoever connected last. */
  session: Buffer | null;
}

/** Where a socket leads. */
export interface ClientSocketTarget {
  readonly address: ClientAddress;
  /** Null for plain HTTP. */
  readonly tls: ClientTls | null;
}

/** Bytes are read into one buffer; the callback returns false to have no more for now. */
export interface ReadInto {
  readonly buffer: Buffer;
  readonly callback: (count: number) => boolean;
}

/** How long one of several addresses of a name may take before the next is tried as well. */
const addressAttemptMs = 500;

/**
 * Begins to connect. The socket is ready when it says `connect`, or `secureConnect` if there is TLS; `preface` is
 * written before anything else, TLS included. Bytes go to `readInto`, past the stream machinery as a rule.
 */
export function openClientSocket(
  { address, tls }: ClientSocketTarget,
  preface: Uint8Array | null,
  readInto: ReadInto | null,
): Socket {
  const target = {
    ...address,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressAttemptMs,
  } as TcpNetConnectOpts;
  const onread = readInto === null ? {} : { onread: readInto };
  if (tls === null) {
    const socket = connect({ ...target, ...onread });
    if (preface !== null) socket.write(preface);
    return socket;
  }
  const options = { secureContext: tls.context, ...describeIdentity(tls) };
  if (preface === null) {
    const socket = loadTls().connect({ ...target, ...onread, ...options });
    socket.setNoDelay(true);
    return keepSession(socket, tls);
  }
  const plain = connect(target);
  plain.write(preface);
  const socket = loadTls().connect({ socket: plain, ...options });
  plain.on('error', (error) => socket.destroy(error));
  if (readInto !== null) readByEvents(socket, readInto);
  return keepSession(socket, tls);
}

function describeIdentity({ name, isAddress, verify, session }: ClientTls) {
  return {
    // RFC 6066 3: an address is no name to ask for.
    servername: isAddress ? '' : name,
    rejectUnauthorized: verify,
    checkServerIdentity: (_: string, certificate: PeerCertificate) =>
      loadTls().checkServerIdentity(name, certificate),
    ALPNProtocols: ['http/1.1'],
    ...(session !== null && { session }),
  };
}

/** Only of a peer that has passed: whoever resumes a session is not looked at again. */
function keepSession(socket: TLSSocket, tls: ClientTls): TLSSocket {
  socket.on('session', (session: Buffer) => {
    if (socket.authorized || !tls.verify) tls.session = session;
  });
  return socket;
}

/** A TLS socket on top of another one has no buffer to read into. */
function readByEvents(socket: TLSSocket, { buffer, callback }: ReadInto): void {
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const count = chunk.copy(buffer, 0, at);
      at += count;
      if (!callback(count)) socket.pause();
    }
  });
}
