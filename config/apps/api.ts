// The application behind /api/ of the default site: a gateway function, run in as many processes as config/site.json
// says. Edit it, add routes, or put your own in its place; docs/gateway.md has the rules.

import type { GatewayContext } from 'tsserve/gateway';

/** Which of the processes this is: "api#2" is the second one of the upstream "api". */
const instance = `${process.env.TSSERVE_UPSTREAM ?? 'api'}#${process.env.TSSERVE_INSTANCE ?? 1}`;
const startedAtMs = Date.now();
let requestCount = 0;

/** Takes a request, returns a response. What tsserve needs of an application is this and no more. */
export default function handle(request: Request, context: GatewayContext): Response {
  requestCount++;
  const url = new URL(request.url);
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /api/':
      return answer({ ...describeInstance(), requestId: context.requestId });
    case 'GET /api/hello':
      return answer({ hello: url.searchParams.get('name') ?? 'world', instance });
    case 'POST /api/echo':
      return echo(request);
    case 'GET /api/events':
      return streamTicks();
    default:
      return answer({ error: 'no such route', method: request.method, path: url.pathname }, 404);
  }
}

function describeInstance() {
  return {
    instance,
    pid: process.pid,
    uptime: (Date.now() - startedAtMs) / 1000,
    time: new Date().toISOString(),
    count: requestCount,
  };
}

function answer(value: unknown, status = 200): Response {
  return Response.json(value, { status, headers: { 'Cache-Control': 'no-store', 'X-Instance': instance } });
}

/** Sends the body back as it comes, however long it is. */
function echo(request: Request): Response {
  const type = request.headers.get('Content-Type') ?? 'application/octet-stream';
  return new Response(request.body, { headers: { 'Content-Type': type, 'X-Instance': instance } });
}

/** Server-sent events: one a second until the client goes away, which cancels the stream. */
function streamTicks(): Response {
  let timer: NodeJS.Timeout;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const tick = () =>
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(describeInstance())}\n\n`));
      tick();
      timer = setInterval(tick, 1000);
    },
    cancel() {
      clearInterval(timer);
    },
  });
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Instance': instance },
  });
}
