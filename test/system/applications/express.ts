// An Express 5 application, as its documentation has it.

import { pipeline, Readable } from 'node:stream';
import express from 'express';
import { countEnded, digest, generateParts, openGate, readEnded } from './gate.ts';

const app = express();
const send = (parts: string[], response: express.Response) => {
  response.on('close', () => response.writableFinished || countEnded());
  pipeline(Readable.from(generateParts(parts)), response, () => {});
};

app.set('trust proxy', true);
app.use(express.json());
app.get('/express/hello/:name', (request, response) => {
  const { ip, hostname, protocol } = request;
  response.json({ hello: request.params.name, query: request.query.q ?? null, ip, hostname, protocol });
});
app.post('/express/echo', (request, response) => void response.status(201).json(request.body));
app.get('/express/cookies', (_, response) =>
  response.cookie('a', '1').cookie('b', '2').redirect(303, '/express/hello/x'),
);
app.get('/express/stream', (_, response) => send(['one,', 'two,', 'three'], response));
app.get('/express/events', (_, response) =>
  send(['data: 1\n\n', 'data: 2\n\n'], response.type('text/event-stream')),
);
app.post('/express/open', (_, response) => void response.send(openGate()));
app.get('/express/ended', (_, response) => void response.send(readEnded()));
app.post('/express/digest', async (request, response) => void response.send(await digest(request)));
app.get('/express/throw', () => {
  throw new Error('in express');
});

export default app;
