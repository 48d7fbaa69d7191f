// Serves an application on a unix socket for a test, and speaks to it in plain text.

import { connect } from 'node:net';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { ApplicationServer } from '../../src/app-host/application-server.ts';
import { FetchServer } from '../../src/app-host/fetch-server.ts';
import type { GatewayFunction, NodeListener } from '../../src/app-host/gateway-function.ts';
import { NodeServer } from '../../src/app-host/node-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const servers: ApplicationServer[] = [];

/** Serves a gateway function as instance 3. Gives the path of its socket. */
export function serve(handle: GatewayFunction): Promise<string> {
  return start(new FetchServer(handle, 3));
}

/** Serves a Node listener. Gives the path of its socket. */
export function serveNode(listener: NodeListener): Promise<string> {
  return start(new NodeServer(listener));
}

async function start(server: ApplicationServer): Promise<string> {
  const path = join(createTempFolder(), 'app.sock');
  await server.listen(path);
  servers.push(server);
  return path;
}

/** Hands out the servers that were started: who takes them drains them. */
export function takeServers(): ApplicationServer[] {
  return servers.splice(0);
}

/** Ends all servers that were started. */
export async function drainServers(): Promise<void> {
  await Promise.all(takeServers().map((server) => server.drain()));
}

/** Sends a text, latin1. Gives what comes until the server closes, "<reset>" at its end if it did so rudely. */
export function sendText(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(path, () => socket.write(text, 'latin1'));
    socket.setEncoding('latin1').on('data', (data) => {
      received += data;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(`${received}<reset>`) : reject(error),
    );
  });
}

/** Sends a request for /a?b, with further field lines if given. */
export function get(path: string, fields = '', method = 'GET'): Promise<string> {
  return sendText(path, `${method} /a?b HTTP/1.1\r\nHost: h\r\n${fields}Connection: close\r\n\r\n`);
}

/** Collects what is written to standard error until the mocks are restored. */
export function watchReports(): string[] {
  const reports: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    reports.push(String(text));
    return true;
  });
  return reports;
}
