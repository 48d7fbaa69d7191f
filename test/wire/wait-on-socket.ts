// Waiting for a raw socket without polling: a corpus of thousands of exchanges has no time to sleep.

import { parseReplies, type RawReply } from '../support/parse-replies.ts';
import type { RawSocket } from '../support/raw-socket.ts';

/** Looks whenever something comes on the socket, until `isTrue` says so. Rejects after `timeoutMs` with what came. */
export function waitOnSocket(
  raw: RawSocket,
  what: string,
  isTrue: () => boolean,
  timeoutMs = 5000,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const events = ['data', 'end', 'error', 'close'];
    const finish = (error: unknown): void => {
      clearTimeout(timer);
      for (const event of events) raw.socket.off(event, look);
      if (error === null) resolve();
      else reject(error);
    };
    const look = (): void => {
      try {
        if (isTrue()) finish(null);
      } catch (error) {
        finish(error);
      }
    };
    const timer = setTimeout(() => {
      finish(new Error(`waited in vain: ${what}; came: ${JSON.stringify(raw.received.toString('latin1'))}`));
    }, timeoutMs);
    for (const event of events) raw.socket.on(event, look);
    look();
  });
}

/** Waits until `count` final replies are complete, or the peer has closed; gives all replies. */
export async function awaitReplies(
  raw: RawSocket,
  count: number,
  methods: readonly string[] = [],
): Promise<RawReply[]> {
  const read = (): RawReply[] => parseReplies(raw.received, methods, raw.closedBy !== null);
  const isThere = (): boolean =>
    raw.closedBy !== null ||
    read().filter(({ complete, status }) => complete && status >= 200).length >= count;
  await waitOnSocket(raw, `${count} replies`, isThere);
  return read();
}
