// What hello-function.ts answers, as an application on node:http. Argument: a port or the path of a unix socket.

import { createServer } from 'node:http';
import { listenAt } from './listen-at.ts';

const body = '{"hello":"world"}';
const fields = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };

listenAt(
  createServer((_, response) => void response.writeHead(200, fields).end(body)),
  process.argv[2],
);
