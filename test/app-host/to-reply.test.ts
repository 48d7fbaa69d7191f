import { describe, expect, test } from 'vitest';
import { toReply } from '../../src/app-host/to-reply.ts';
import type { BodySource } from '../../src/message/body.ts';
import { getReplyLength, type Reply } from '../../src/message/reply.ts';

const encode = (text: string) => new TextEncoder().encode(text);

function read(source: BodySource): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) =>
    source.read((error, chunk) => (error === null ? resolve(chunk) : reject(error))),
  );
}

async function readAll(reply: Reply): Promise<string> {
  const { body } = reply;
  if (body === null) return '';
  if (body.kind === 'bytes') return Buffer.from(body.bytes).toString();
  if (body.kind !== 'stream') throw new Error(body.kind);
  let text = '';
  for (let chunk = await read(body.source); chunk !== null; chunk = await read(body.source)) {
    text += Buffer.from(chunk).toString();
  }
  return text;
}

/** A stream under the test's control. */
function createStream() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const events: string[] = [];
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull: () => void events.push('pull'),
      cancel: () => void events.push('cancel'),
    },
    { highWaterMark: 0 },
  );
  return { stream, controller, events };
}

describe('a response whose body is at hand', () => {
  test.each([
    ['text', new Response('hello'), 'hello'],
    ['json', Response.json({ a: 1 }), '{"a":1}'],
    ['bytes', new Response(encode('bytes')), 'bytes'],
    ['form', new Response(new URLSearchParams({ a: '1' })), 'a=1'],
  ])('becomes one piece of known length: %s', async (_, response, text) => {
    const reply = await toReply(response, 'GET');
    expect(reply.body?.kind).toBe('bytes');
    expect(getReplyLength(reply.body)).toBe(text.length);
    expect(await readAll(reply)).toBe(text);
  });

  test.each([null, ''])('that is %j has no bytes', async (body) => {
    expect(getReplyLength((await toReply(new Response(body), 'GET')).body)).toBe(0);
  });

  test('keeps status and fields, each Set-Cookie by itself', async () => {
    const response = new Response('x', { status: 201, headers: { 'Content-Type': 'text/x', 'X-A': '1' } });
    response.headers.append('Set-Cookie', 'a=1');
    response.headers.append('Set-Cookie', 'b=2');
    const reply = await toReply(response, 'GET');
    expect(reply.status).toBe(201);
    expect(reply.fields).toEqual([
      'content-type',
      'text/x',
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'x-a',
      '1',
    ]);
  });

  test('leaves framing to the protocol', async () => {
    const headers = {
      connection: 'close',
      'keep-alive': 'x',
      'transfer-encoding': 'gzip',
      'content-length': '1',
    };
    expect((await toReply(new Response(encode('x'), { headers }), 'GET')).fields).toEqual([]);
  });

  test('that is large is streamed', async () => {
    const reply = await toReply(new Response('x'.repeat(200_000)), 'GET');
    expect(reply.body?.kind).toBe('stream');
    expect((await readAll(reply)).length).toBe(200_000);
  });
});

describe('a response whose body comes bit by bit', () => {
  test('T28: is a reply before its first byte', async () => {
    const { stream, controller } = createStream();
    const reply = await toReply(new Response(stream), 'GET');
    expect(getReplyLength(reply.body)).toBeNull();
    const text = readAll(reply);
    controller.enqueue(encode('a'));
    controller.enqueue(encode('b'));
    controller.close();
    expect(await text).toBe('ab');
  });

  test('gives its first chunk before its second is there', async () => {
    const { stream, controller } = createStream();
    controller.enqueue(encode('first'));
    const reply = await toReply(new Response(stream), 'GET');
    if (reply.body?.kind !== 'stream') throw new Error('not streamed');
    expect(Buffer.from((await read(reply.body.source)) ?? []).toString()).toBe('first');
  });

  test('is asked for a chunk only when the connection wants one', async () => {
    const { stream, controller, events } = createStream();
    const reply = await toReply(new Response(stream), 'GET');
    if (reply.body?.kind !== 'stream') throw new Error('not streamed');
    const { source } = reply.body;
    const first = read(source);
    controller.enqueue(encode('a'));
    await first;
    expect(events).toEqual(['pull']);
    const second = read(source);
    await Promise.resolve();
    controller.enqueue(encode('b'));
    await second;
    expect(events).toEqual(['pull', 'pull']);
  });

  test('is cancelled when the client is gone', async () => {
    const { stream, events } = createStream();
    const reply = await toReply(new Response(stream), 'GET');
    if (reply.body?.kind !== 'stream') throw new Error('not streamed');
    reply.body.source.read(() => {
      throw new Error('called back after the cancel');
    });
    reply.body.source.cancel();
    reply.body.source.cancel();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(events).toEqual(['pull', 'cancel']);
  });

  test('fails as the stream does', async () => {
    const { stream, controller } = createStream();
    const reply = await toReply(new Response(stream), 'GET');
    controller.error(new Error('broken'));
    await expect(readAll(reply)).rejects.toThrow('broken');
  });

  test('fails as a stream that is broken from the start', async () => {
    const { stream, controller } = createStream();
    controller.error(new Error('broken'));
    await expect(toReply(new Response(stream), 'GET').then(readAll)).rejects.toThrow('broken');
  });

  test('fails at a chunk that is no Uint8Array', async () => {
    const stream = new ReadableStream({ start: (controller) => controller.enqueue('text') });
    const reply = await toReply(new Response(stream as ReadableStream<Uint8Array>), 'GET');
    await expect(readAll(reply)).rejects.toThrow('not a Uint8Array');
  });
});

describe('a declared length', () => {
  const declare = (body: ReadableStream<Uint8Array> | string | null, length: string) =>
    new Response(body, { headers: { 'Content-Length': length } });

  test('is kept for a stream', async () => {
    const { stream, controller } = createStream();
    const reply = await toReply(declare(stream, '2'), 'GET');
    expect(getReplyLength(reply.body)).toBe(2);
    controller.enqueue(encode('ab'));
    controller.close();
    expect(await readAll(reply)).toBe('ab');
  });

  test.each([
    ['shorter', '5', 'ended after 3 of 5'],
    ['longer', '2', 'longer than the 2'],
    ['not empty', '0', 'longer than the 0'],
  ])('that the body belies fails the body: %s', async (_, length, message) => {
    await expect(toReply(declare('abc', length), 'GET').then(readAll)).rejects.toThrow(message);
  });

  test.each(['-1', '1, 1', 'x', '+5'])('that is no number is refused: %s', async (length) => {
    await expect(toReply(declare('abc', length), 'GET')).rejects.toThrow('declares a length');
  });

  test('without a body is refused', async () => {
    await expect(toReply(declare(null, '3'), 'GET')).rejects.toThrow('declares 3 bytes but has no body');
  });

  test.each([null, 'abc'])('is what HEAD is about, with the body %j', async (body) => {
    const reply = await toReply(declare(body, '3'), 'HEAD');
    expect(getReplyLength(reply.body)).toBe(3);
    await expect(readAll(reply)).rejects.toThrow('not given');
  });
});

describe('a response that needs no body', () => {
  test('GET 205 without one', async () => {
    expect((await toReply(new Response(null, { status: 205 }), 'GET')).body).toBeNull();
  });

  test.each([null, 'text'])('to HEAD, %j, does not claim that a GET brings nothing', async (body) => {
    expect(getReplyLength((await toReply(new Response(body), 'HEAD')).body)).toBeNull();
  });

  test('to HEAD lets go of its stream', async () => {
    const { stream, events } = createStream();
    expect(getReplyLength((await toReply(new Response(stream), 'HEAD')).body)).toBeNull();
    expect(events).toEqual(['cancel']);
  });

  test('of another class may be unable to let go of it', async () => {
    const cancel = () => {
      throw new Error('no');
    };
    const body = { getReader: () => ({}), cancel };
    const reply = await toReply({ status: 200, headers: new Headers(), body }, 'HEAD');
    expect(reply.status).toBe(200);
  });
});

describe('a reader of another class', () => {
  const answer = (read: () => unknown) => {
    const getReader = () => ({
      read,
      cancel: () => {
        throw new Error('no cancel');
      },
    });
    return toReply({ status: 200, headers: new Headers(), body: { getReader } }, 'GET').then(readAll);
  };

  test('that throws fails the body', async () => {
    let reads = 0;
    const read = () => {
      if (++reads > 1) throw new Error('no read');
      return Promise.resolve({ done: false, value: encode('a') });
    };
    await expect(answer(read)).rejects.toThrow('no read');
  });

  test('that gives no result fails the body', async () => {
    let reads = 0;
    await expect(
      answer(async () => (++reads > 2 ? undefined : { done: false, value: encode('a') })),
    ).rejects.toThrow('gave no result');
  });
});

describe('headers of another class', () => {
  const answer = (...pairs: unknown[]) =>
    toReply({ status: 200, headers: new Map(pairs as [string, string][]), body: null }, 'GET');

  test('are taken, those of the framing left out whatever their case', async () => {
    // A Map has no case either, so this length is not the declared one.
    const { fields } = await answer(['Content-Length', '3'], ['Transfer-Encoding', 'chunked'], ['X-A', '1']);
    expect(fields).toEqual(['X-A', '1']);
  });

  test.each<[string, unknown, unknown]>([
    ['a line end in a name', 'a\r\nb', 'x'],
    ['a space in a name', 'a b', 'x'],
    ['an empty name', '', 'x'],
    ['a number for a name', 5, 'x'],
    ['a symbol for a value', 'a', Symbol('x')],
    ['nothing for a value', 'a', undefined],
  ])('V11: with %s are refused', async (_, name, value) => {
    await expect(answer([name, value])).rejects.toThrow('no pair of a field name and a text');
  });
});

describe('what is no response', () => {
  const used = new Response('x');
  void used.text();
  const locked = new Response('x');
  locked.body?.getReader();

  test.each([
    ['nothing', undefined, 'returned undefined, not a Response'],
    ['null', null, 'returned null'],
    ['a text', 'hello', 'returned a string'],
    ['an object', { body: 'x' }, 'returned an object of Object'],
    ['an object without a prototype', Object.create(null), 'returned an object of no class'],
    ['a network error', Response.error(), 'of status 0'],
    ['a status out of range', { status: 99, headers: new Headers(), body: null }, 'of status 99'],
    ['a Node stream for a body', { status: 200, headers: new Headers(), body: {} }, 'no web stream'],
    ['no headers', { status: 200, body: null }, 'without headers'],
    ['a used body', used, 'already read'],
    ['a locked body', locked, 'locked'],
  ])('is told: %s', async (_, returned, message) => {
    await expect(toReply(returned, 'GET')).rejects.toThrow(message);
  });

  test('a Response of another realm is one', async () => {
    const foreign = { status: 200, headers: new Headers({ a: '1' }), body: new Response('x').body };
    expect(await readAll(await toReply(foreign, 'GET'))).toBe('x');
  });
});
