// The node:http server that ours is measured against: the same bytes and fields, from memory, as tight as node:http
// allows. Arguments: port, folder of the files, port of the upstream.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import {
  Agent,
  request as askUpstream,
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { join } from 'node:path';

const [port, root, upstreamPort] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const files = new Map(
  readdirSync(root)
    .filter((name) => statSync(join(root, name)).isFile())
    .map((name) => [`/${name}`, loadFile(name)]),
);

function loadFile(name: string) {
  const body = readFileSync(join(root, name));
  const etag = `"${name}"`;
  const fields = {
    'Content-Type': name.endsWith('.txt') ? 'text/plain' : 'application/octet-stream',
    'Content-Length': String(body.length),
    'Last-Modified': statSync(join(root, name)).mtime.toUTCString(),
    ETag: etag,
  };
  return { body, etag, fields };
}

function passOn(request: IncomingMessage, response: ServerResponse): void {
  const options = { port: Number(upstreamPort), host: '127.0.0.1', path: request.url, agent };
  const upstream = askUpstream(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  // An answer that nobody reads any more would keep its connection out of the pool for good.
  response.once('close', () => {
    if (!response.writableFinished) upstream.destroy();
  });
  upstream.end();
}

const server = createServer((request, response) => {
  const url = request.url ?? '';
  const file = files.get(url);
  if (file !== undefined) {
    if (request.headers['if-none-match'] === file.etag) response.writeHead(304, { ETag: file.etag }).end();
    else response.writeHead(200, file.fields).end(file.body);
  } else if (url.startsWith('/proxied/')) passOn(request, response);
  else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not Found\n');
});
// A connection that idles between two rounds must be there in the next.
server.keepAliveTimeout = 0;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
