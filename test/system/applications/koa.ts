// A Koa application, as its documentation has it, but for listen: its callback is a Node listener.

import { Readable } from 'node:stream';
import Koa, { type Context } from 'koa';
import { countEnded, digest, generateParts, openGate, readEnded } from './gate.ts';

const app = new Koa({ proxy: true });
app.silent = true;

const routes: Readonly<Record<string, (ctx: Context) => unknown>> = {
  'GET /koa/hello/you': (ctx) => ({ hello: 'you', query: ctx.query.q ?? null }),
  'POST /koa/echo': async (ctx) => {
    const chunks: Buffer[] = [];
    for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
    ctx.status = 201;
    return JSON.parse(Buffer.concat(chunks).toString());
  },
  'GET /koa/cookies': (ctx) => {
    ctx.cookies.set('a', '1');
    ctx.cookies.set('b', '2');
    ctx.redirect('/koa/hello/you');
    ctx.status = 303;
    return '';
  },
  'GET /koa/stream': (ctx) => send(['one,', 'two,', 'three'], ctx),
  'GET /koa/events': (ctx) => {
    ctx.type = 'text/event-stream';
    return send(['data: 1\n\n', 'data: 2\n\n'], ctx);
  },
  'POST /koa/open': () => openGate(),
  'GET /koa/ended': () => readEnded(),
  'POST /koa/digest': (ctx) => digest(ctx.req),
  'GET /koa/throw': () => {
    throw new Error('in koa');
  },
};

function send(parts: string[], ctx: Context): Readable {
  ctx.res.on('close', () => ctx.res.writableFinished || countEnded());
  return Readable.from(generateParts(parts), { objectMode: false });
}

app.use(async (ctx) => {
  const route = routes[`${ctx.method} ${ctx.path}`];
  if (route !== undefined) ctx.body = await route(ctx);
});

export default app.callback();
