// How a peer is asked whether it is well: by a connection alone, or by a request and what its answer must look like.

import { ClientFailure, describeError, findErrno, isOwnErrno } from '../message/client-failure.ts';
import type { ReplyBody } from '../message/reply.ts';
import type { ClientResponse, ConnectionOwner } from '../message/upstream-connection.ts';
import type { Probe, ProbeResult } from './active-check.ts';
import type { HealthSettings } from './health-shape.ts';
import type { Peer } from './peer.ts';
import type { ProxiedClient } from './proxy-protocol.ts';

/** As much of an answer as is looked at. */
const maxBodyBytes = 64 * 1024;

/** Nobody's request: what the PROXY protocol calls unknown. */
const nobody: ProxiedClient = {
  clientAddress: 'unix:',
  connection: { peerAddress: 'unix:', peerPort: 0, localAddress: 'unix:', localPort: 0 },
};

const closing: ConnectionOwner = { onIdle: (connection) => connection.abort(), onClosed: () => {} };

/** Makes the probe of a peer. */
export function compileProbe(settings: HealthSettings, peer: Peer): Probe {
  const { path, port = null } = settings;
  return path === undefined ? compileConnect(peer, port) : compileRequest(settings, path, peer);
}

function compileConnect(peer: Peer, port: number | null): Probe {
  return (onResult) => {
    const socket = peer.openSocket(nobody, port);
    const end = (result: ProbeResult): void => {
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      onResult(result);
    };
    socket.on('error', (error) => end(isOwnErrno(findErrno(error)) ? undefined : describeError(error)));
    socket.on('close', () => end('the connection was closed'));
    socket.on(peer.isSecure ? 'secureConnect' : 'connect', () => end(null));
    return () => {
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
    };
  };
}

function compileRequest(settings: HealthSettings, path: string, peer: Peer): Probe {
  const { status, body, port = null, timeout } = settings;
  const host = settings.host ?? (peer.name.startsWith('unix:') ? 'localhost' : peer.name);
  const fields = `Host: ${host}\r\nUser-Agent: tsserve health check\r\nConnection: close\r\n`;
  const request = {
    method: 'GET',
    head: `GET ${path} HTTP/1.1\r\n${fields}`,
    body: null,
    sendTimeoutMs: timeout,
    readTimeoutMs: timeout,
  };
  const pattern = body === undefined ? null : new RegExp(body);
  const judge = (response: ClientResponse, onResult: (result: ProbeResult) => void): void => {
    const found = status.some(([from, to]) => response.status >= from && response.status <= to);
    if (!found || pattern === null) {
      cancelBody(response.body);
      onResult(found ? null : `it answered ${response.status}`);
    } else readStart(response.body, (text) => onResult(judgeBody(pattern, text)));
  };
  return (onResult) => {
    const connection = peer.openForeign(nobody, port, closing);
    connection.send(request, {
      onResponse: (response) => judge(response, onResult),
      onFailure: (error) =>
        onResult(error instanceof ClientFailure && error.isOwn ? undefined : describeError(error)),
      onEnd: () => {},
    });
    return () => connection.abort();
  };
}

function judgeBody(pattern: RegExp, text: string): string | null {
  return pattern.test(text) ? null : `its answer does not match ${pattern.source}`;
}

function cancelBody(body: ReplyBody): void {
  if (body?.kind === 'stream') body.source.cancel();
}

/** Reads as much of a body as is looked at. What an error cut off is missing in the text. */
function readStart(body: ReplyBody, onText: (text: string) => void): void {
  if (body === null || body.kind === 'tunnel') {
    onText('');
    return;
  }
  if (body.kind === 'bytes') {
    onText(Buffer.from(body.bytes.subarray(0, maxBodyBytes)).toString('utf8'));
    return;
  }
  const { source } = body;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const finish = (): void => onText(Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8'));
  const readNext = (): void =>
    source.read((error, chunk) => {
      if (error !== null || chunk === null) {
        finish();
        return;
      }
      chunks.push(chunk);
      length += chunk.length;
      if (length < maxBodyBytes) readNext();
      else {
        source.cancel();
        finish();
      }
    });
  readNext();
}
