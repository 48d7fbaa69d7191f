// A Hono application, as its documentation has it.

import { Hono } from 'hono';
import { digest, openGate, readEnded, streamParts } from './gate.ts';

const app = new Hono();
const eventStream = { headers: { 'Content-Type': 'text/event-stream' } };

app.get('/hono/hello/:name', (c) => c.json({ hello: c.req.param('name'), query: c.req.query('q') ?? null }));
app.post('/hono/echo', async (c) => c.json(await c.req.json(), 201));
app.get('/hono/cookies', (c) => {
  c.header('Set-Cookie', 'a=1');
  c.header('Set-Cookie', 'b=2', { append: true });
  return c.redirect('/hono/hello/x', 303);
});
app.get('/hono/stream', () => new Response(streamParts('one,', 'two,', 'three')));
app.get('/hono/events', () => new Response(streamParts('data: 1\n\n', 'data: 2\n\n'), eventStream));
app.post('/hono/open', (c) => c.text(openGate()));
app.get('/hono/ended', (c) => c.text(readEnded()));
app.post('/hono/digest', async (c) => c.text(await digest(c.req.raw.body as AsyncIterable<Uint8Array>)));
app.get('/hono/throw', () => {
  throw new Error('in hono');
});
app.onError((error, c) => c.text(`handled: ${error.message}`, 500));

export default app;
