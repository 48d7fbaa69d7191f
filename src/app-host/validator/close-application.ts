// The end of an application under check, as of one in an instance that is told to end, with an eye on what does not end.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningApplication } from '../running-application.ts';
import type { ObservedCalls } from './observed-call.ts';
import type { OpenHandles } from './open-handles.ts';

/** What was closed may need a moment to be gone. */
const settleMs = 500;
const lookMs = 20;

/** Drains and closes, each for `timeoutMs` at most, and tells of what is open then. */
export async function closeApplication(
  application: RunningApplication,
  calls: ObservedCalls,
  handles: OpenHandles,
  timeoutMs: number,
): Promise<void> {
  const { ledger } = calls;
  calls.phase = 'the end';
  if (!(await isInTime(application.drain(), timeoutMs))) {
    calls.break('G44', 'requests, or work given to waitUntil, did not come to their end in time', null);
  }
  calls.phase = 'close';
  if (!(await isInTime(application.close(), timeoutMs)))
    calls.break('G44', 'close did not end in time', null);
  ledger.keep('G42', 'G44');
  const untilMs = performance.now() + settleMs;
  while (handles.list().length > 0 && performance.now() < untilMs) await sleep(lookMs);
  for (const open of handles.list()) {
    ledger.add({ rule: 'G42', level: 'advice', detail: `left open and cut off: ${open}` }, 'the end');
  }
}

async function isInTime(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  const result = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return result;
}
