import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { inspectBlocked, parseInspectorLine } from '../../src/process/blocked-program.ts';
import { InspectorSession } from '../../src/process/inspector-session.ts';
import { cleanUpLater } from '../support/clean-up.ts';

/** A server that answers the handshake and then does what the test says with what it gets. */
async function startInspector(onData: (socket: Socket, bytes: Buffer) => void, status = '101 Switching') {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(`HTTP/1.1 ${status}\r\nUpgrade: websocket\r\n\r\n`);
      socket.on('data', (bytes) => onData(socket, bytes));
    });
    cleanUpLater(() => socket.destroy());
  });
  cleanUpLater(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}/id`;
}

/** A frame as a server sends it. */
function frame(payload: string | Buffer, opcode = 1): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(bytes.length < 126 ? 2 : 4);
  head[0] = 0x80 | opcode;
  head[1] = Math.min(bytes.length, 126);
  if (bytes.length >= 126) head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

/** The text of a frame as a client sends it. */
function unmask(bytes: Buffer): string {
  const start = (bytes[1] & 0x7f) === 126 ? 4 : 2;
  const mask = bytes.subarray(start, start + 4);
  return bytes
    .subarray(start + 4)
    .map((byte, i) => byte ^ mask[i & 3])
    .toString();
}

describe('a session with an inspector', () => {
  test('sends commands, long ones too, and gets results and events, in whatever pieces they come', async () => {
    const events: string[] = [];
    const url = await startInspector((socket, bytes) => {
      const { id, params } = JSON.parse(unmask(bytes)) as { id: number; params: { text: string } };
      const whole = Buffer.concat([
        frame(JSON.stringify({ method: 'Some.event', params: {} })),
        frame(JSON.stringify({ id, result: { echo: params.text } })),
      ]);
      for (const byte of whole) socket.write(Buffer.of(byte));
    });
    const session = await InspectorSession.connect(url, 1_000, ({ method }) => events.push(method));
    const text = 'x'.repeat(1_000);
    expect(await session.send('Some.command', { text })).toEqual({ echo: text });
    expect(events).toEqual(['Some.event']);
    session.close();
  });

  test.each([
    ['nonsense', frame('{')],
    ['null', frame('null')],
    ['a frame that never ends', Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255])],
    ['a close', frame('', 8)],
  ])('ends at %s without an exception', async (_, bytes) => {
    const url = await startInspector((socket) => {
      socket.write(bytes);
      setTimeout(() => socket.end(), 20);
    });
    const session = await InspectorSession.connect(url, 1_000, () => {});
    await expect(session.send('Some.command')).rejects.toThrow('the session has ended');
  });

  test('is not begun with who refuses, or says nothing', async () => {
    const refusing = await startInspector(() => {}, '400 Bad');
    await expect(InspectorSession.connect(refusing, 1_000, () => {})).rejects.toThrow('refuses');
    const server = createServer((socket) => cleanUpLater(() => socket.destroy()));
    cleanUpLater(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const silent = `ws://127.0.0.1:${(server.address() as { port: number }).port}/id`;
    await expect(InspectorSession.connect(silent, 50, () => {})).rejects.toThrow('does not answer');
  });

  test('is given up when the process does not stop in time', async () => {
    const url = await startInspector((socket, bytes) => {
      for (const id of unmask(bytes).match(/"id":\d+/g) ?? []) socket.write(frame(`{${id},"result":{}}`));
    });
    await expect(inspectBlocked(url, 100)).rejects.toThrow(/no JavaScript runs in it|ended/);
  });
});

test('what Node says of its inspector is told from other lines', () => {
  const url = 'ws://127.0.0.1:4711/0a-b';
  expect(parseInspectorLine(`Debugger listening on ${url}`)).toEqual({ url });
  expect(parseInspectorLine('Debugger attached.')).toEqual({ url: null });
  expect(parseInspectorLine('For help, see: https://nodejs.org/en/docs/inspector')).toEqual({ url: null });
  // Only this machine, whatever an application writes.
  expect(parseInspectorLine('Debugger listening on ws://10.0.0.1:80/x')).toBeNull();
  expect(parseInspectorLine('hello')).toBeNull();
});
