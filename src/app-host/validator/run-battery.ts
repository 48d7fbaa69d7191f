// Asks an application everything it is held to the interface with, step by step, and judges what comes of each.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FromCheck } from '../../base/check-messages.ts';
import { ask } from './ask.ts';
import { type Failures, judgeAnswer } from './judge-answer.ts';
import { judgeDeparture } from './judge-departure.ts';
import type { ObservedCall, ObservedCalls } from './observed-call.ts';
import { listSteps, type Step } from './probes.ts';
import type { ReturnedHeaders } from './returned-headers.ts';
import { GlobalsWatch } from './watch-globals.ts';

/** What a battery works with. */
export interface BatteryOptions {
  readonly socketPath: string;
  readonly paths: readonly string[];
  /** From 0. */
  readonly fromStep: number;
  readonly timeoutMs: number;
  readonly calls: ObservedCalls;
  readonly headers: ReturnedHeaders;
  readonly failures: Failures;
  readonly send: (message: FromCheck) => void;
}

/** What a call leaves behind comes a moment later than its response. */
const afterwardsMs = 20;

/** Resolves when everything was asked. A path on which something takes too long is left there. */
export async function runBattery(options: BatteryOptions): Promise<void> {
  const { paths, fromStep, calls, headers, send } = options;
  const globals = new GlobalsWatch();
  const abandoned = new Set<string>();
  const steps = listSteps(paths);
  for (const [index, step] of steps.entries()) {
    if (index < fromStep || abandoned.has(step.path)) continue;
    calls.phase = step.name;
    send({ type: 'step', step: index, occasion: step.name, requests: step.probes.length });
    if (!(await takeStep(step, options))) abandoned.add(step.path);
    headers.compare();
    globals.compare(calls.ledger, step.name);
  }
  await sleep(afterwardsMs);
  send({ type: 'step', step: steps.length, occasion: 'the end', requests: 0 });
  headers.compare();
  calls.ledger.keep('G40');
  calls.phase = 'the end';
}

/** Gives whether the path is worth another one. */
async function takeStep(step: Step, options: BatteryOptions): Promise<boolean> {
  const { calls, socketPath, timeoutMs, failures } = options;
  const asked = await Promise.all(
    step.probes.map(async (probe) => {
      const call = calls.expect(probe);
      return { call, answer: await ask(socketPath, probe, call, timeoutMs) };
    }),
  );
  // What the connection tells the host, and the host the log, comes behind the last byte.
  await new Promise((resolve) => setImmediate(resolve));
  let isWorthMore = true;
  for (const { call, answer } of asked) {
    const isOn =
      call.probe.departure !== 'never' && answer.end === 'left'
        ? await judgeDeparture(call, timeoutMs)
        : judgeAnswer(call, answer, failures);
    isWorthMore &&= isOn;
  }
  if (asked.length > 1) {
    judgeCrowd(asked.map(({ call, answer }) => ({ call, text: toText(answer.reader) })));
  }
  return isWorthMore;
}

function toText({ fields, body }: { fields: readonly (readonly string[])[]; body: Buffer }): string {
  return `${fields.map(([, value]) => value).join('\n')}\n${body.toString('latin1')}`;
}

/** An answer that holds what only another request had, and nothing of its own, is the other one's. */
function judgeCrowd(answers: readonly { call: ObservedCall; text: string }[]): void {
  for (const { call, text } of answers) {
    call.ledger.keep('G39');
    if (text.includes(call.probe.marker)) continue;
    const isForeign = answers.some((other) => other.call !== call && text.includes(other.call.probe.marker));
    if (isForeign) call.break('G39', 'the answer holds what another request of the same moment had sent');
  }
}
