// A gateway function whose streams go on until their client leaves; GET /say has each of them say something.

const controllers = new Set();
const spoken = new WeakMap();
const long = Array.from({ length: 20_000 }, (_, i) => `<p>${(i * 7_919) % 1_000}</p>\n`).join('');
const html = { 'Content-Type': 'text/html' };

function openStream() {
  let opened;
  const body = new ReadableStream({
    start(controller) {
      opened = controller;
      controllers.add(controller);
    },
    cancel() {
      controllers.delete(opened);
    },
  });
  return body;
}

function say() {
  for (const controller of controllers) {
    const count = (spoken.get(controller) ?? 0) + 1;
    spoken.set(controller, count);
    controller.enqueue(new TextEncoder().encode(`data: ${count}\n\n`));
  }
  return new Response('said');
}

function answerLong(request) {
  const tags = request.headers.get('If-None-Match') ?? '';
  if (tags.includes('"long"')) return new Response(null, { status: 304, headers: { ETag: '"long"' } });
  return new Response(long, { headers: { ...html, ETag: '"long"' } });
}

function breakOff() {
  let pulls = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (pulls++ > 3) controller.error(new Error('broken on purpose'));
      else controller.enqueue(new TextEncoder().encode(long));
    },
  });
  return new Response(body, { headers: html });
}

const answers = {
  '/events': () => new Response(openStream(), { headers: { 'Content-Type': 'text/event-stream' } }),
  '/events/': () => new Response(openStream(), { headers: { 'Content-Type': 'text/event-stream' } }),
  '/slow': () => new Response(openStream(), { headers: html }),
  '/say': say,
  '/open': () => new Response(String(controllers.size)),
  '/long': answerLong,
  '/encoded': () => new Response(long, { headers: { ...html, 'Content-Encoding': 'x-none' } }),
  '/no-transform': () => new Response(long, { headers: { ...html, 'Cache-Control': 'no-transform' } }),
  '/part': () =>
    new Response(long.slice(0, 5_000), {
      status: 206,
      headers: { ...html, 'Content-Range': `bytes 0-4999/${long.length}` },
    }),
  '/broken': breakOff,
};

export default (request) =>
  answers[new URL(request.url).pathname]?.(request) ?? new Response('', { status: 404 });
