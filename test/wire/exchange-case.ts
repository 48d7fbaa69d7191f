// Holds the conversation of one request case on a connection of its own, cut as a plan says, and finds out what came
// back and whether the connection goes on.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseReplies, type RawReply } from '../support/parse-replies.ts';
import { openRawSocket, type RawSocket } from '../support/raw-socket.ts';
import type { Step } from './decode-bytes.ts';
import type { RequestSidecar } from './read-corpus.ts';
import { cutBytes, type SplitPlan } from './split-plan.ts';
import { awaitReplies, waitOnSocket } from './wait-on-socket.ts';

/** What came back. */
export interface CaseOutcome {
  readonly replies: readonly RawReply[];
  readonly connection: 'kept' | 'closed' | 'reset' | 'waiting';
  readonly received: Buffer;
}

/** A request that any server state that is in step answers with "fixed\n". */
const followUp = 'GET /fixed HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** Sends the steps of a case, waits for what it should give, and looks whether the connection goes on. */
export async function exchangeCase(
  port: number,
  steps: readonly Step[],
  plan: SplitPlan,
  sidecar: RequestSidecar,
): Promise<CaseOutcome> {
  const raw = await openRawSocket(port);
  await sendSteps(raw, steps, plan);
  const methods = sidecar.methods ?? [];
  const finals = sidecar.replies.filter((status) => status >= 200).length;
  if (finals > 0) await awaitReplies(raw, finals, methods);
  else if (sidecar.connection === 'waiting') await raw.readUntilIdle(150);
  // Who asks again on a connection that was just closed makes a reset of it.
  if (sidecar.connection === 'closed') await raw.readUntilClose(500).catch(() => {});
  const connection = sidecar.connection === 'waiting' ? readState(raw) : await askAgain(raw, finals, methods);
  const replies = parseReplies(raw.received, methods, raw.closedBy !== null);
  const own = connection === 'kept' ? replies.slice(0, -1) : replies;
  raw.destroy();
  return { replies: own, connection, received: raw.received };
}

async function sendSteps(raw: RawSocket, steps: readonly Step[], plan: SplitPlan): Promise<void> {
  let position = 0;
  for (const step of steps) {
    if (step.kind === 'await') await awaitMore(raw);
    else if (step.kind === 'pause') await sleep(20);
    else if (step.kind === 'end') raw.socket.end();
    else {
      const start = position;
      const parts = cutBytes(
        step.bytes,
        plan.cuts.map((cut) => cut - start),
      );
      for (const part of parts) {
        if (raw.closedBy !== null) return;
        raw.socket.write(part);
        // A pause for a few parts; for many only a turn of the loop each.
        if (parts.length > 1) await (parts.length < 8 ? sleep(2) : new Promise(setImmediate));
      }
      position += step.bytes.length;
    }
  }
}

async function awaitMore(raw: RawSocket): Promise<void> {
  const before = raw.received.length;
  if (before > 0) await sleep(10);
  else await waitOnSocket(raw, 'an answer', () => raw.received.length > 0 || raw.closedBy !== null);
}

function readState(raw: RawSocket): CaseOutcome['connection'] {
  if (raw.closedBy === null) return 'waiting';
  return raw.closedBy === 'end' ? 'closed' : 'reset';
}

/** Asks for "/fixed": whatever the server answers behind the case belongs to this request, or to nothing. */
async function askAgain(
  raw: RawSocket,
  finals: number,
  methods: readonly string[],
): Promise<CaseOutcome['connection']> {
  if (raw.closedBy === null && !raw.socket.writableEnded) raw.socket.write(followUp);
  const replies = await awaitReplies(raw, finals + 1, methods);
  if (raw.closedBy !== null) return readState(raw);
  const last = replies.at(-1);
  if (last?.body.toString() !== 'fixed\n')
    throw new Error(`the next request got ${last?.status} ${last?.body}`);
  return 'kept';
}
