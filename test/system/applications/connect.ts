// Connect-style middleware with a body parser.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import bodyParser from 'body-parser';
import connect from 'connect';
import { countEnded, digest, generateParts, openGate, readEnded } from './gate.ts';

const app = connect();

app.use(bodyParser.json({ limit: '1mb' }));
app.use('/connect/hello/you', (request, response) => {
  const query = new URL(request.originalUrl ?? '', 'http://a').searchParams.get('q');
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ hello: 'you', query }));
});
app.use('/connect/echo', (request, response) => {
  response.statusCode = 201;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify((request as IncomingMessage & { body: unknown }).body));
});
app.use('/connect/cookies', (_, response) => {
  response.writeHead(303, { Location: '/connect/hello/you', 'Set-Cookie': ['a=1', 'b=2'] });
  response.end();
});
app.use('/connect/stream', (_, response) => send(['one,', 'two,', 'three'], response));
app.use('/connect/events', (_, response) => {
  response.setHeader('Content-Type', 'text/event-stream');
  send(['data: 1\n\n', 'data: 2\n\n'], response);
});
app.use('/connect/open', (_, response) => response.end(openGate()));
app.use('/connect/ended', (_, response) => response.end(readEnded()));
app.use('/connect/digest', async (request, response) => response.end(await digest(request)));
app.use('/connect/throw', () => {
  throw new Error('in connect');
});

function send(parts: string[], response: ServerResponse): void {
  response.on('close', () => response.writableFinished || countEnded());
  pipeline(Readable.from(generateParts(parts)), response, () => {});
}

export default app;
