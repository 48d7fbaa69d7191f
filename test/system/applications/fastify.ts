// A Fastify application, as its documentation has it, but for listen: its routing is a Node listener.

import { Readable } from 'node:stream';
import fastify, { type FastifyReply } from 'fastify';
import { countEnded, digest, generateParts, openGate, readEnded } from './gate.ts';

const app = fastify();
const send = (parts: string[], reply: FastifyReply) => {
  reply.raw.on('close', () => reply.raw.writableFinished || countEnded());
  return reply.send(Readable.from(generateParts(parts), { objectMode: false }));
};

app.addContentTypeParser('application/octet-stream', (_, payload, done) => done(null, payload));
app.get<{ Params: { name: string }; Querystring: { q?: string } }>(
  '/fastify/hello/:name',
  async (request) => ({
    hello: request.params.name,
    query: request.query.q ?? null,
  }),
);
app.post('/fastify/echo', async (request, reply) => reply.code(201).send(request.body));
app.get('/fastify/cookies', async (_, reply) =>
  reply.header('Set-Cookie', ['a=1', 'b=2']).redirect('/fastify/hello/x', 303),
);
app.get('/fastify/stream', async (_, reply) => send(['one,', 'two,', 'three'], reply));
app.get('/fastify/events', async (_, reply) =>
  send(['data: 1\n\n', 'data: 2\n\n'], reply.type('text/event-stream')),
);
app.post('/fastify/open', async () => openGate());
app.get('/fastify/ended', async () => readEnded());
app.post('/fastify/digest', { bodyLimit: 2 ** 30 }, async (request) => digest(request.body as Readable));
app.get('/fastify/throw', async () => {
  throw new Error('in fastify');
});

await app.ready();

export default app.routing;

/** What its plugins opened. */
export const close = () => app.close();
