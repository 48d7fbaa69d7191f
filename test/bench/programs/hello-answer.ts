// The answer of the gateway function, as a node:http application gives it.

import type { RequestListener } from 'node:http';

const body = '{"hello":"world"}';
const fields = { 'Content-Type': 'text/plain;charset=UTF-8', 'Content-Length': String(body.length) };

/** Answers as hello-function.ts does. */
export const answerHello: RequestListener = (_, response) => {
  response.writeHead(200, fields).end(body);
};
