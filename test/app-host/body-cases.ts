// Cases of bodies on their way from one object to another: made of forms and streams, teed, piped, cloned, handed from a
// Request to a Response and on, and of what the platform's functions make of objects of ours.

import { attempt, attemptLater, streamOf, type WebCase, type WebClasses } from './web-classes.ts';

type Body = ConstructorParameters<typeof Response>[0];

const decode = (bytes: ArrayBuffer | Uint8Array): string =>
  Buffer.from(bytes as Uint8Array).toString('latin1');

/** Both ways to have a body: sent by us, and received. */
const holders: readonly (readonly [
  name: string,
  hold: (web: WebClasses, chunks: string[]) => Response | Request,
])[] = [
  ['a Response of a stream', ({ Response }, chunks) => new Response(streamOf(chunks))],
  ['a Response of a text', ({ Response }, chunks) => new Response(chunks.join(''))],
  ['a Response of bytes', ({ Response }, chunks) => new Response(Buffer.from(chunks.join(''), 'latin1'))],
  ['a Request', (web, chunks) => web.receive({ method: 'POST', body: chunks })],
];

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = '';
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += decode(read.value);
  return text;
}

const handlings: readonly (readonly [
  name: string,
  handle: (holder: Response | Request, web: WebClasses) => unknown,
])[] = [
  ['tee', async ({ body }) => Promise.all((body as ReadableStream<Uint8Array>).tee().map(readAll))],
  [
    'tee, one of them cancelled',
    async ({ body }) => {
      const [one, other] = (body as ReadableStream<Uint8Array>).tee();
      void one.cancel();
      return readAll(other);
    },
  ],
  [
    'tee locks it',
    async (holder) => {
      (holder.body as ReadableStream).tee();
      return [holder.body?.locked, holder.bodyUsed, await attemptLater(() => holder.text())];
    },
  ],
  [
    'for await',
    async ({ body }) => {
      let text = '';
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) text += decode(chunk);
      return text;
    },
  ],
  [
    'for await, left early',
    async (holder) => {
      for await (const _ of holder.body as unknown as AsyncIterable<Uint8Array>) break;
      return [holder.bodyUsed, holder.body?.locked, await attemptLater(() => holder.text())];
    },
  ],
  [
    'pipeThrough',
    async ({ body }) => {
      const upper = new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) =>
          controller.enqueue(Buffer.from(decode(chunk).toUpperCase(), 'latin1')),
      });
      return readAll((body as ReadableStream<Uint8Array>).pipeThrough(upper));
    },
  ],
  [
    'pipeTo',
    async (holder) => {
      let text = '';
      const sink = new WritableStream<Uint8Array>({
        write: (chunk) => {
          text += decode(chunk);
        },
      });
      await (holder.body as ReadableStream<Uint8Array>).pipeTo(sink);
      return [text, holder.bodyUsed];
    },
  ],
  [
    'cancel of its stream',
    async (holder) => {
      await holder.body?.cancel('why');
      return [holder.bodyUsed, await attemptLater(() => holder.text())];
    },
  ],
  [
    'a reader that is let go',
    async (holder) => {
      const reader = (holder.body as ReadableStream).getReader();
      reader.releaseLock();
      return [holder.bodyUsed, holder.body?.locked, await holder.text(), holder.bodyUsed];
    },
  ],
  [
    'a new Response of its stream',
    async (holder, { Response }) => {
      const next = new Response(holder.body as Body, { status: 201, headers: { 'X-A': '1' } });
      return [
        holder.bodyUsed,
        next.bodyUsed,
        next.status,
        [...next.headers],
        await next.text(),
        holder.bodyUsed,
      ];
    },
  ],
  [
    'a new Request of its stream',
    async (holder, { Request }) => {
      const init = { method: 'PUT', body: holder.body, duplex: 'half' } as ConstructorParameters<
        typeof Request
      >[1];
      const next = new Request('http://b/', init);
      return [holder.bodyUsed, next.method, [...next.headers], await next.text(), holder.bodyUsed];
    },
  ],
  [
    'a new Response of its stream behind a read of it',
    async (holder, { Response }) => {
      await holder.text();
      return attempt(() => new Response(holder.body as Body));
    },
  ],
  [
    'clone, both read at once',
    async (holder) => {
      const clone = holder.clone();
      return Promise.all([holder.text(), clone.arrayBuffer().then(decode)]);
    },
  ],
  [
    'clone, then the stream of the first',
    async (holder) => {
      const clone = holder.clone();
      return [
        await readAll(holder.body as ReadableStream<Uint8Array>),
        clone.bodyUsed,
        await clone.text(),
        holder.bodyUsed,
      ];
    },
  ],
  [
    'clone of what was teed',
    (holder) => {
      (holder.body as ReadableStream).tee();
      return holder.clone();
    },
  ],
  [
    'two reads of it at once',
    async (holder) =>
      Promise.all([holder.text(), attemptLater(() => holder.text()), attemptLater(() => holder.blob())]),
  ],
];

const handled: WebCase[] = holders.flatMap(([holderName, hold]) =>
  handlings.map(
    ([name, handle]): WebCase => [`${holderName}: ${name}`, (web) => handle(hold(web, ['one ', 'two']), web)],
  ),
);

/** What became of a form on the way. */
async function readForm(form: FormData): Promise<unknown> {
  const entries = [...form].map(async ([name, value]) =>
    typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()],
  );
  return Promise.all(entries);
}

function fill(form: FormData): FormData {
  form.append('a', '1');
  form.append('a', 'ü\r\nx');
  form.append('na"me\n', '');
  form.append('file', new File(['con', 'tent'], 'a"b\r.txt', { type: 'text/x-a' }));
  form.append('blob', new Blob(['b']));
  return form;
}

const forms: WebCase[] = [
  [
    'a Response of FormData has a boundary, and reads it back',
    async ({ Response }) => {
      const response = new Response(fill(new FormData()));
      const type = response.headers.get('content-type') as string;
      return [type.replace(/=.*/, ''), await readForm(await response.formData())];
    },
  ],
  [
    'the text of a Response of FormData has the boundary of its type',
    async ({ Response }) => {
      const response = new Response(fill(new FormData()));
      const boundary = (response.headers.get('content-type') as string).replace(/.*boundary=/, '');
      return (await response.text()).replaceAll(boundary, 'BOUNDARY');
    },
  ],
  [
    'a clone of a Response of FormData',
    async ({ Response }) => {
      const response = new Response(fill(new FormData()));
      const clone = response.clone();
      return [await readForm(await clone.formData()), await readForm(await response.formData())];
    },
  ],
  [
    'FormData with a type of one’s own',
    async ({ Response }) => {
      const response = new Response(fill(new FormData()), {
        headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
      });
      return [response.headers.get('content-type'), await attemptLater(() => response.formData())];
    },
  ],
  [
    'a Request of FormData',
    async ({ Request }) =>
      readForm(await new Request('http://a/', { method: 'POST', body: fill(new FormData()) }).formData()),
  ],
  [
    'URLSearchParams there and back',
    async ({ Response }) => {
      const response = new Response(
        new URLSearchParams([
          ['a', 'b c&ü'],
          ['a', '='],
        ]),
      );
      return [response.headers.get('content-type'), await readForm(await response.formData())];
    },
  ],
  [
    'a form of another type',
    async ({ Response }) =>
      attemptLater(() => new Response('a=b', { headers: { 'Content-Type': 'text/plain' } }).formData()),
  ],
  [
    'a form in upper case',
    async ({ Response }) =>
      readForm(
        await new Response('a=b', {
          headers: { 'Content-Type': 'APPLICATION/X-WWW-FORM-URLENCODED;x=y' },
        }).formData(),
      ),
  ],
  [
    'the type of a blob is that of the headers',
    async ({ Response }) => {
      const response = new Response('x', { headers: { 'Content-Type': 'Text/X-Own; Charset=UTF-8' } });
      return (await response.blob()).type;
    },
  ],
];

const data = 'data:text/x-a;charset=utf-8,h%C3%A9';

const crossings: WebCase[] = [
  [
    'a Response of the platform with an init that is a Response',
    async ({ Response }) => {
      const first = new Response('one', { status: 404, statusText: 'No', headers: { 'X-A': '1' } });
      const next = new Response('two', first as unknown as ConstructorParameters<typeof Response>[1]);
      next.headers.set('x-b', '2');
      return [
        next.status,
        next.statusText,
        [...next.headers],
        await next.text(),
        [...first.headers],
        first.bodyUsed,
      ];
    },
  ],
  [
    'a fetched Response, its headers fixed, its body handed on',
    async ({ Response }) => {
      const fetched = await fetch(data);
      const next = new Response(
        fetched.body as Body,
        fetched as unknown as ConstructorParameters<typeof Response>[1],
      );
      next.headers.append('x-a', '1');
      return [
        fetched instanceof Response,
        attempt(() => fetched.headers.append('x-a', '1')),
        attempt(() => fetched.headers.delete('content-type')),
        [...next.headers],
        await next.text(),
        fetched.bodyUsed,
      ];
    },
  ],
  [
    'a fetched Response cloned',
    async () => {
      const fetched = await fetch(data);
      const clone = fetched.clone();
      return [await clone.text(), await fetched.text(), clone.headers.get('content-type')];
    },
  ],
  [
    'fetch of a Request',
    async (web) => {
      const response = await fetch(new web.Request(data, web.receive({ headers: [['X-A', '1']] })));
      return [response.status, await response.text()];
    },
  ],
  [
    'Response.error() is fixed',
    ({ Response }) => {
      const error = Response.error();
      return [
        error.type,
        error.status,
        error.ok,
        error.body,
        attempt(() => error.headers.set('a', 'b')),
        [...error.clone().headers],
      ];
    },
  ],
  ...[301, 302, 303, 307, 308, 200, 304, 0].map(
    (status): WebCase => [
      `Response.redirect with ${status}`,
      ({ Response }) => {
        const response = Response.redirect('http://a/ü?b c', status as 301);
        return [
          response.status,
          response.headers.get('location'),
          response.body,
          attempt(() => response.headers.set('a', 'b')),
        ];
      },
    ],
  ),
  ...(
    [undefined, null, 0, '', true, [1], { a: { b: [null] } }, { toJSON: () => 'own' }, new Date(0)] as const
  ).map(
    (value, index): WebCase => [
      `Response.json of value ${index}`,
      async ({ Response }) => {
        const response = Response.json(value, { status: 201, headers: { 'X-A': '1' } });
        return [response.status, [...response.headers], await response.text()];
      },
    ],
  ),
  [
    'Response.json with a type of one’s own',
    ({ Response }) => [...Response.json({}, { headers: { 'content-type': 'a/b' } }).headers],
  ],
  ...[204, 205, 304, 101, 199, 600].map(
    (status): WebCase => [
      `a body and the status ${status}`,
      ({ Response }) => new Response('x', { status }).status,
    ],
  ),
  ...[204, 205, 304].map(
    (status): WebCase => [
      `no body and the status ${status}`,
      async ({ Response }) => {
        const response = new Response(null, { status });
        return [response.status, response.ok, response.body, await response.text(), response.clone().status];
      },
    ],
  ),
  ['a Request of GET with a body', ({ Request }) => new Request('http://a/', { body: 'x' })],
  ['a Request of HEAD with a body', ({ Request }) => new Request('http://a/', { method: 'HEAD', body: 'x' })],
  [
    'a Request with a stream and no duplex',
    ({ Request }) => new Request('http://a/', { method: 'POST', body: streamOf(['x']) }),
  ],
  [
    'the signal of a Request made from a Request follows',
    (web) => {
      const abort = new AbortController();
      const first = new web.Request(web.receive(), { signal: abort.signal });
      const second = new web.Request(first);
      const clone = second.clone();
      abort.abort(new RangeError('why'));
      return [first, second, clone].map(({ signal }) => [signal.aborted, (signal.reason as Error).name]);
    },
  ],
  [
    'listeners of the signal of a Request',
    (web) => {
      const abort = new AbortController();
      const request = new web.Request(web.receive(), { signal: abort.signal });
      const seen: string[] = [];
      request.signal.addEventListener('abort', (event) => seen.push(event.type), { once: true });
      abort.abort();
      abort.abort();
      return [seen, attempt(() => request.signal.throwIfAborted())];
    },
  ],
  [
    'a Request with headers of a received one',
    (web) => {
      const received = web.receive({
        headers: [
          ['X-A', '1'],
          ['Cookie', 'a=1'],
          ['cookie', 'b=2'],
        ],
      });
      const next = new web.Request('http://b/', { headers: received.headers });
      next.headers.set('x-a', '2');
      return [[...next.headers], [...received.headers]];
    },
  ],
  [
    'is what: tags and instanceof of everything',
    ({ Headers, Request, Response, receive }) => {
      const response = new Response('x');
      const all: [unknown, unknown][] = [
        [response, Response],
        [response.clone(), Response],
        [response.headers, Headers],
        [Response.json({}), Response],
        [Response.error(), Response],
        [receive(), Request],
        [receive().clone(), Request],
        [receive().headers, Headers],
        [receive().signal, AbortSignal],
        [new Response(new Blob(['x'])).body, ReadableStream],
        [response.body, ReadableStream],
      ];
      return all.map(([value, type]) => [
        Object.prototype.toString.call(value),
        value instanceof (type as () => void),
      ]);
    },
  ],
  [
    'structuredClone of a body that is a stream',
    ({ Response }) => attempt(() => structuredClone(new Response(streamOf(['x'])))),
  ],
  [
    'a stream handed over by structuredClone',
    async ({ Response }) => {
      const { body } = new Response('moved');
      const moved = structuredClone(body, {
        transfer: [body as unknown as ArrayBuffer],
      }) as ReadableStream<Uint8Array>;
      return readAll(moved);
    },
  ],
  [
    'the stream of a body in bytes of one’s own',
    async ({ Response }) => {
      const { body } = new Response('abcdef');
      const reader = (body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' });
      const { value, done } = await reader.read(new Uint8Array(4));
      return [decode(value as Uint8Array), done];
    },
  ],
];

/** All of them. */
export const bodyCases: readonly WebCase[] = [...handled, ...forms, ...crossings];
