// What the applications of these tests have in common: a gate that a stream waits at until another request opens it, so
// that a test sees whether the first part arrives before the rest exists; and a count of streams that were let go.

import { createHash, type Hash } from 'node:crypto';

let open: () => void = () => {};
let opened = new Promise<void>((resolve) => {
  open = resolve;
});
let ended = 0;

/** Resolves when the gate was opened, which closes behind whoever waits now. */
export function passGate(): Promise<void> {
  return opened;
}

/** Lets those who wait go on. */
export function openGate(): string {
  open();
  opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return 'open';
}

/** A stream was let go before its end. */
export function countEnded(): void {
  ended++;
}

/** How many were. */
export function readEnded(): string {
  return String(ended);
}

/** The parts of a stream. The second comes behind the gate. */
export async function* generateParts(parts: readonly string[]): AsyncGenerator<string> {
  const [first, ...rest] = parts;
  yield first;
  await passGate();
  yield* rest;
}

/** The parts as a web stream of bytes. */
export function streamParts(...parts: string[]): ReadableStream<Uint8Array> {
  const generated = generateParts(parts);
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await generated.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: countEnded,
  });
}

/** Bytes and digest of what comes, and how far the memory of this process went beyond what it was, in MiB. */
export async function digest(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash: Hash = createHash('sha256');
  const before = process.memoryUsage.rss();
  let most = before;
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    most = Math.max(most, process.memoryUsage.rss());
  }
  return JSON.stringify({ bytes, sha256: hash.digest('hex'), grownMiB: (most - before) / 2 ** 20 });
}
