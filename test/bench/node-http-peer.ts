// The node:http server that ours is measured against: the same bytes and fields, from memory, as tight as node:http
// allows. Arguments: port, folder with 1k.txt, port of the upstream.

import { readFileSync, statSync } from 'node:fs';
import {
  Agent,
  request as askUpstream,
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { join } from 'node:path';

const [port, root, upstreamPort] = process.argv.slice(2);
const file = join(root, '1k.txt');
const body = readFileSync(file);
const etag = '"1k"';
const fields = {
  'Content-Type': 'text/plain',
  'Content-Length': String(body.length),
  'Last-Modified': statSync(file).mtime.toUTCString(),
  ETag: etag,
};
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function passOn(request: IncomingMessage, response: ServerResponse): void {
  const options = { port: Number(upstreamPort), host: '127.0.0.1', path: request.url, agent };
  const upstream = askUpstream(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => response.writeHead(502).end());
  upstream.end();
}

createServer((request, response) => {
  if (request.url === '/1k.txt') {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { ETag: etag }).end();
    else response.writeHead(200, fields).end(body);
  } else if (request.url?.startsWith('/proxied/')) passOn(request, response);
  else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not Found\n');
}).listen(Number(port), '127.0.0.1');
