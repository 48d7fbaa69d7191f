// Waiting for something to become true, with a sentence to fail with.

import { setTimeout as sleep } from 'node:timers/promises';

/** Asks every 20 ms until `isTrue` says so. Throws after `timeoutMs` (default 10 s) with `what` in the message. */
export async function waitUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(20);
  }
}
