import { describe, expect, test } from 'vitest';
import { RequestStream } from '../../src/app-host/request-stream.ts';
import { ListBody } from './create-exchange.ts';

describe('a request body as a stream', () => {
  test('comes whole and in order', async () => {
    const { stream } = new RequestStream(new ListBody(['a', 'b', 'c']));
    expect(await new Response(stream).text()).toBe('abc');
  });

  test('is asked for nothing before somebody reads, and for one chunk per read', async () => {
    const body = new ListBody(['a', 'b']);
    const reader = new RequestStream(body).stream.getReader();
    await Promise.resolve();
    expect(body.reads).toBe(0);
    await reader.read();
    expect(body.reads).toBe(1);
  });

  test('fails as its connection does', async () => {
    const { stream } = new RequestStream(new ListBody(['a'], new Error('cut')));
    await expect(new Response(stream).text()).rejects.toThrow('cut');
  });

  test('lets go of the body when the reader does', async () => {
    const body = new ListBody(['a', 'b']);
    const { stream } = new RequestStream(body);
    await stream.cancel();
    expect(body.cancelled).toBe(1);
  });

  test('cannot be read when the request is over', async () => {
    const body = new ListBody(['a', 'b']);
    const stream = new RequestStream(body);
    const reader = stream.stream.getReader();
    await reader.read();
    stream.end();
    await expect(reader.read()).rejects.toThrow('the request is over');
    expect(body.reads).toBe(1);
  });
});
