// An itty-router application, as its documentation has it.

import { AutoRouter, error, type IRequest, json } from 'itty-router';
import { digest, openGate, readEnded, streamParts } from './gate.ts';

const router = AutoRouter();

router
  .get('/itty/hello/:name', ({ params, query }: IRequest) => ({ hello: params.name, query: query.q ?? null }))
  .post('/itty/echo', async (request: IRequest) => json(await request.json(), { status: 201 }))
  .get('/itty/cookies', () => {
    const response = new Response(null, { status: 303, headers: { Location: '/itty/hello/x' } });
    response.headers.append('Set-Cookie', 'a=1');
    response.headers.append('Set-Cookie', 'b=2');
    return response;
  })
  .get('/itty/stream', () => new Response(streamParts('one,', 'two,', 'three')))
  .get(
    '/itty/events',
    () =>
      new Response(streamParts('data: 1\n\n', 'data: 2\n\n'), {
        headers: { 'Content-Type': 'text/event-stream' },
      }),
  )
  .post('/itty/open', () => new Response(openGate()))
  .get('/itty/ended', () => new Response(readEnded()))
  .post(
    '/itty/digest',
    async ({ body }: IRequest) => new Response(await digest(body as AsyncIterable<Uint8Array>)),
  )
  .get('/itty/throw', () => {
    throw error(500, 'in itty');
  });

export default router;
