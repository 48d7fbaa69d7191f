// Serves a Node listener (Express, Koa's callback, Fastify's handler) on a unix socket with Node's own HTTP server,
// whose request and response classes it expects.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ApplicationServer } from './application-server.ts';
import type { NodeListener } from './gateway-function.ts';
import { reportFailure } from './report.ts';

/** The server of an application with the interface "node". */
export class NodeServer implements ApplicationServer {
  readonly #server: Server;

  constructor(listener: NodeListener) {
    this.#server = createServer({ maxHeaderSize: 4 * 1024 * 1024, requestTimeout: 0 }, (request, response) =>
      callListener(listener, request, response),
    );
    // The front closes idle connections. A timer of ours could do it in the moment it sends a request.
    this.#server.keepAliveTimeout = 0;
    this.#server.headersTimeout = 0;
    this.#server.maxHeadersCount = 0;
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => reportFailure('accepting connections', error));
        resolve();
      });
    });
  }

  async drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await closed;
  }
}

/** A listener that fails answers 500, as a gateway function does. An async one may reject where nobody looks. */
function callListener(listener: NodeListener, request: IncomingMessage, response: ServerResponse): void {
  const fail = (error: unknown): void => {
    const path = (request.url ?? '').split('?', 1)[0];
    reportFailure(`request ${request.method} ${path} failed`, error);
    if (response.headersSent) response.destroy();
    else if (!response.writableEnded) {
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.statusCode = 500;
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end('Internal Server Error\n');
    }
  };
  try {
    const result = listener(request, response);
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}
