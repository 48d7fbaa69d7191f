// Every response of the corpus, whole and in pieces, from an upstream through the started binary: what the client
// sees, what becomes of the connection to the upstream, and that nobody else ever sees any of it.

import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseReplies, type RawReply, readField } from '../support/parse-replies.ts';
import { openRawSocket, type RawSocket } from '../support/raw-socket.ts';
import type { StartedServer } from '../support/start-server.ts';
import { decodeBytes } from './decode-bytes.ts';
import { joinSteps, type ResponseSidecar, readResponseCases, titleCase } from './read-corpus.ts';
import { readToEnd } from './read-to-end.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';
import { planSplits, type SplitPlan } from './split-plan.ts';
import { awaitReplies } from './wait-on-socket.ts';
import { awaitCodes, expectHealth, readCodes, startWireServer } from './wire-server.ts';

const randomSplits = 6;
const cases = readResponseCases();
let server: StartedServer;
let upstream: ScriptedUpstream;
let serial = 0;

beforeAll(async () => {
  upstream = await startScriptedUpstream(cases);
  server = await startWireServer(upstream.port, upstream.port);
});

afterAll(() => expectHealth(server));

describe('a response of the corpus', () => {
  const titled = cases.map((wireCase) => [titleCase(wireCase), wireCase] as const);
  test.each(titled)('%s', async (_, { sidecar, steps, name }) => {
    const logStart = server.process.stderr.length;
    const [whole, ...others] = planSplits(name, joinSteps(steps).length, randomSplits);
    // One after the other: each finds the connections as the one before has left them.
    await exchangeResponse(name, whole, sidecar);
    await checkUpstreamConnection(sidecar);
    for (const plan of others) await exchangeResponse(name, plan, sidecar);
    await askOwnAnswer();
    const { log } = sidecar;
    const times = others.length + 1;
    const codes =
      log === undefined ? readCodes(server, logStart) : await awaitCodes(server, logStart, log, times);
    expect([...new Set(codes)], 'codes in the error log').toEqual(log === undefined ? [] : [log]);
  });
});

/** Has the case answered to a client, checks what it sees, and that its next request gets its own answer. */
async function exchangeResponse(name: string, plan: SplitPlan, sidecar: ResponseSidecar): Promise<void> {
  const { method, version } = sidecar;
  const cuts = plan.name === 'byte by byte' ? 'every' : plan.cuts.join();
  const request = `${method} /res/${name}?cuts=${cuts} HTTP/${version}\r\nHost: a.example\r\n\r\n`;
  if (version === '1.0') {
    const { bytes, closedBy } = await readToEnd(server.port, request);
    checkReplies(parseSafely(bytes, method, closedBy), closedBy, sidecar, plan.name);
    await awaitQuiet();
    return;
  }
  const raw = await openRawSocket(server.port);
  await raw.send(request);
  await awaitReplies(raw, 1, [method]);
  checkReplies(parseSafely(raw.received, method, raw.closedBy), raw.closedBy, sidecar, plan.name);
  await awaitQuiet();
  if (raw.closedBy === null) await askAgain(raw, method, plan.name);
  raw.destroy();
}

/** What comes behind a response must have come before anybody else asks: later it could not be told apart. */
async function awaitQuiet(): Promise<void> {
  while (!upstream.isQuiet) await new Promise(setImmediate);
}

/** The next request on the same connection. A truncated reply may have had it closed in the meantime. */
async function askAgain(raw: RawSocket, method: string, sent: string): Promise<void> {
  const text = `same-client-${serial++}`;
  const count = parseReplies(raw.received, [method], false).filter(({ status }) => status >= 200).length;
  await raw.send(`GET /res/own-answer?${text} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  const replies = await awaitReplies(raw, count + 1, [method]);
  if (raw.closedBy === null) expect(replies.at(-1)?.body.toString(), sent).toBe(text);
}

/** A reply of which not even the head is complete counts for none. */
function parseSafely(received: Buffer, method: string, closedBy: 'end' | 'reset' | null): RawReply[] {
  return received.includes('\r\n\r\n') ? parseReplies(received, [method], closedBy === 'end') : [];
}

function checkReplies(
  replies: readonly RawReply[],
  closedBy: 'end' | 'reset' | null,
  sidecar: ResponseSidecar,
  sent: string,
): void {
  const last = replies.at(-1);
  const shown = replies.map(({ status, body, complete }) => ({
    status,
    complete,
    body: body.toString('latin1'),
  }));
  if (sidecar.truncated) {
    const isVisible = last === undefined || last.status === 502 || !last.complete;
    expect(
      isVisible,
      `the client can see the truncation (${sent}): ${JSON.stringify(shown)}, ${closedBy}`,
    ).toBe(true);
    return;
  }
  expect(last?.complete, `complete (${sent}): ${JSON.stringify(shown)}, ${closedBy}`).toBe(true);
  expect(
    replies.map(({ status }) => status),
    sent,
  ).toEqual([...sidecar.interim, sidecar.status]);
  if (sidecar.body !== undefined) {
    expect(last?.body.toString('latin1'), sent).toBe(decodeBytes(sidecar.body).toString('latin1'));
  }
  for (const [field, value] of Object.entries(sidecar.fields)) {
    expect((last && readField(last, field)) ?? null, `${field} (${sent})`).toBe(value);
  }
}

/** Whether the connection that brought the case carries the next request, or is closed. */
async function checkUpstreamConnection(sidecar: ResponseSidecar): Promise<void> {
  const socket = upstream.caseSocket;
  if (sidecar.upstreamConnection === 'closed') {
    const isClosed = await awaitClose(socket);
    expect(isClosed, 'the connection to the upstream is closed').toBe(true);
  }
  await askOwnAnswer();
  const isReused = upstream.lastSocket === socket;
  expect(isReused ? 'reused' : 'closed', 'the connection to the upstream').toBe(sidecar.upstreamConnection);
}

function awaitClose(socket: Socket | null): Promise<boolean> {
  if (socket === null || socket.destroyed) return Promise.resolve(socket !== null);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 2000);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

async function askOwnAnswer(): Promise<void> {
  const text = `other-client-${serial++}`;
  const raw = await openRawSocket(server.port);
  await raw.send(`GET /res/own-answer?${text} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  const [reply] = await awaitReplies(raw, 1);
  raw.destroy();
  expect(reply?.body.toString(), 'another client gets its own answer').toBe(text);
}
