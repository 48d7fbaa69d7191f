// The Hono application on Hono's own server for Node. Argument: a port or the path of a unix socket.

import { createAdaptorServer } from '@hono/node-server';
import app from './hono-app.ts';
import { listenAt } from './listen-at.ts';

listenAt(createAdaptorServer({ fetch: app.fetch }), process.argv[2]);
