// An h3 application (version 2), as its documentation has it.

import { createHash } from 'node:crypto';
import { H3, redirect } from 'h3';
import { digest, openGate, readEnded, streamParts } from './gate.ts';

const app = new H3();

app.get('/h3/hello/:name', (event) => ({
  hello: event.context.params?.name,
  query: event.url.searchParams.get('q'),
}));
app.post('/h3/echo', async (event) => {
  event.res.status = 201;
  return event.req.json();
});
app.get('/h3/cookies', (event) => {
  event.res.headers.append('Set-Cookie', 'a=1');
  event.res.headers.append('Set-Cookie', 'b=2');
  return redirect('/h3/hello/x', 303);
});
app.get('/h3/stream', () => streamParts('one,', 'two,', 'three'));
app.get('/h3/events', (event) => {
  event.res.headers.set('Content-Type', 'text/event-stream');
  return streamParts('data: 1\n\n', 'data: 2\n\n');
});
app.post('/h3/open', () => openGate());
app.get('/h3/ended', () => readEnded());
app.post('/h3/digest', async (event) => digest(event.req.body as unknown as AsyncIterable<Uint8Array>));
app.post('/h3/form', async (event) => {
  const form = await event.req.formData();
  const file = form.get('file') as File;
  const bytes = Buffer.from(await file.arrayBuffer());
  return {
    name: file.name,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    field: form.get('field'),
  };
});
app.get('/h3/throw', () => {
  throw new Error('in h3');
});

export default app;
