// A client that can tell a reset from an end in every case. libuv reports an end when it finds a reset together with
// the last bytes of a read that did not fill its buffer; a buffer of one byte is always filled.

import { connect } from 'node:net';

/** What came until the connection was over, and how it ended. */
export interface WholeAnswer {
  readonly bytes: Buffer;
  readonly closedBy: 'end' | 'reset';
}

/** Sends bytes to a port of 127.0.0.1 and reads until the connection is over. Rejects after `timeoutMs`. */
export function readToEnd(port: number, bytes: string, timeoutMs = 5000): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const received: number[] = [];
    let closedBy: 'end' | 'reset' = 'end';
    const buffer = Buffer.alloc(1);
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer,
        callback: () => {
          received.push(buffer[0]);
          return true;
        },
      },
    });
    const timer = setTimeout(() => {
      reject(new Error(`the connection is not closed; came: ${Buffer.from(received).toString('latin1')}`));
      socket.destroy();
    }, timeoutMs);
    socket.on('error', () => {
      closedBy = 'reset';
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ bytes: Buffer.from(received), closedBy });
    });
    socket.write(bytes, 'latin1');
  });
}
