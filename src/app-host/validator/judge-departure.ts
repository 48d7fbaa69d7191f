// What follows when a client has left while the application was at work for it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ObservedCall } from './observed-call.ts';

/** A connection that nobody reads from is looked at once a second. */
const noticeMs = 5_000;
const lookMs = 10;

/** Waits until the application has stopped, or for `timeoutMs`. Gives whether its path is worth another request. */
export async function judgeDeparture(call: ObservedCall, timeoutMs: number): Promise<boolean> {
  if (!call.hasBegun || !call.leftAtWork || call.isNode) return true;
  const { ledger, signal } = call;
  const untilMs = performance.now() + noticeMs;
  while (signal?.aborted === false && !call.isSettled && performance.now() < untilMs) await sleep(lookMs);
  if (signal?.aborted) ledger.keep('G20', 'G34');
  else if (!call.isSettled) {
    call.add({ rule: 'G34', level: 'host', detail: 'the signal was not aborted when the client had left' });
    return true;
  }
  const timer = new AbortController();
  await Promise.race([call.settled, sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
  if (call.isSettled) ledger.keep('G35');
  else {
    const detail = 'it went on in spite of the signal when its client had left';
    ledger.add({ rule: 'G35', level: 'advice', detail }, call.probe.name);
  }
  return call.isSettled;
}
