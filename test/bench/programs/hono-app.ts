// A Hono application: run by tsserve as it is, and by hono-node.ts.

import { Hono } from 'hono';

const app = new Hono();

app.get('/hono/', (c) => c.json({ hello: 'world' }));

export default app;
