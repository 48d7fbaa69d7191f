// What bulk-function.ts answers, as an application on node:http. Argument: a port or the path of a unix socket.

import { createServer } from 'node:http';
import { createBlock } from '../large-bodies.ts';
import { listenAt } from './listen-at.ts';

const block = createBlock(100 * 1024);
const bytes = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(block.length) };
const json = 'application/json';

const server = createServer((request, response) => {
  if (request.method === 'GET') response.writeHead(200, bytes).end(block);
  else if (request.url?.endsWith('/stream')) {
    response.writeHead(200, { 'Content-Type': json });
    request.pipe(response);
  } else {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(200, { 'Content-Type': json, 'Content-Length': Buffer.byteLength(body) }).end(body);
    });
  }
});
listenAt(server, process.argv[2]);
