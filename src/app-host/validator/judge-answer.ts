// Holds what a client saw against what the application did: the two sides of one call.

import type { Answer } from './ask.ts';
import { describeBriefly, findRule } from './describe-briefly.ts';
import type { ObservedCall } from './observed-call.ts';

/** What the host reported of each request, by its id. */
export type Failures = ReadonlyMap<string, readonly unknown[]>;

/** Connection says whether another request may follow: the rest is for one message only, and none of the application's. */
const forbiddenFields = ['proxy-connection', 'trailer', 'upgrade'];

/** Judges one request whose client did not leave of its own accord. Gives whether another one like it is worth asking. */
export function judgeAnswer(call: ObservedCall, answer: Answer, failures: Failures): boolean {
  const { ledger } = call;
  if (!call.hasBegun) {
    call.add({
      rule: 'G11',
      level: 'host',
      detail: `the request did not come to the application (${answer.end}, status ${answer.reader.status})`,
    });
    return false;
  }
  judgeSecrecy(call, answer);
  // What was found about the call is why its client saw what it saw.
  if (call.isExplained) return answer.end !== 'late';
  if (answer.end === 'late') return judgeLate(call, answer);
  if (answer.end === 'left') {
    ledger.keep('G22', 'G23');
    return true;
  }
  if (answer.end === 'complete') judgeComplete(call, answer, failures);
  else judgeCut(call, answer, failures);
  return true;
}

function judgeLate(call: ObservedCall, { reader }: Answer): boolean {
  if (call.isNode) call.break('G50', 'the listener did not end its response in time');
  else if (!call.isSettled) call.break('G50', 'what the function returned was not settled in time');
  else if (reader.state === 'head') {
    call.add({ rule: 'G23', level: 'host', detail: 'a Response was returned, and nothing of it was sent' });
  } else call.break('G50', 'the body of the Response did not end in time, and is no event stream');
  return false;
}

/** The response came to the client in part, or not at all. */
function judgeCut(call: ObservedCall, { end, reader }: Answer, failures: Failures): void {
  const [failure] = failures.get(call.id) ?? [];
  if (end === 'short') {
    call.break('G27', `it declares ${reader.declared} bytes, and its body has ${reader.received}`);
  } else if (failure !== undefined) {
    call.break(findRule(failure, 'G32'), `the body failed: ${describeBriefly(failure)}`);
  } else if (call.isNode) {
    call.break('G32', 'the response was broken off');
  } else {
    call.add({ rule: 'G32', level: 'host', detail: 'the response was broken off without a reason' });
  }
}

function judgeComplete(call: ObservedCall, { reader }: Answer, failures: Failures): void {
  const { ledger, probe } = call;
  const [failure] = failures.get(call.id) ?? [];
  if (failure !== undefined) {
    call.break(findRule(failure, 'G31'), `the call failed: ${describeBriefly(failure)}`);
    return;
  }
  const fault = (rule: 'G26' | 'G29' | 'G30' | 'G31' | 'G27', detail: string) =>
    call.add({ rule, level: 'host', detail });
  if (reader.surplus > 0) {
    const detail = `${reader.surplus} bytes came behind the end of the response`;
    if (call.isNode && reader.declared !== null) call.break('G27', `${detail} that it declared`);
    else fault(probe.method === 'HEAD' ? 'G29' : 'G30', detail);
    return;
  }
  if (call.status !== 0 && reader.status !== call.status)
    fault('G31', `status ${call.status} was sent as ${reader.status}`);
  if (!call.isNode) {
    for (const name of forbiddenFields) {
      if (reader.list(name).length > 0) fault('G26', `the field ${name} was sent`);
    }
  }
  if (reader.status === 500) {
    ledger.add({ rule: 'G31', level: 'advice', detail: 'the application itself answers 500' }, probe.name);
  }
  noteKept(call, reader.status, reader.declared !== null);
}

function noteKept(call: ObservedCall, status: number, isDeclared: boolean): void {
  const { ledger, probe } = call;
  ledger.keep('G31', 'G50', 'G33', 'G52');
  if (probe.method === 'HEAD') ledger.keep('G29');
  if (status === 204 || status === 304) ledger.keep('G30');
  if (isDeclared) ledger.keep('G27');
  if (call.isNode) {
    ledger.keep('G28', 'G51');
    return;
  }
  ledger.keep('G11', 'G12', 'G13', 'G17', 'G19', 'G20', 'G21', 'G25', 'G26', 'G28', 'G47');
  if (probe.method === 'GET') ledger.keep('G15');
  if (probe.body.length > 0) ledger.keep('G14', 'G16');
  if (call.isStream && probe.method !== 'HEAD') ledger.keep('G22', 'G23', 'G32');
  if (call.usesWaitUntil) ledger.keep('G18');
}

/** A failed call is answered with nothing of its error. */
function judgeSecrecy(call: ObservedCall, { reader }: Answer): void {
  if (!call.hasFailed || call.isNode || reader.status !== 500) return;
  const { thrown } = call;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message.length < 4 || !reader.body.includes(message)) return;
  call.add({ rule: 'G31', level: 'host', detail: 'the answer tells the message of the error' });
}
