// The node:http application that stands behind nginx, HAProxy and Caddy. Argument: path of its unix socket.

import { createServer } from 'node:http';
import { answerHello } from './hello-answer.ts';

const server = createServer(answerHello);
// A connection that idles between two rounds must be there in the next.
server.keepAliveTimeout = 0;
server.listen(process.argv[2]);
