// Every request of the corpus, whole and in pieces, against the started binary: replies, connection, error log, what
// the upstream saw, and what it all means to a neighbour.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseReplies, readField } from '../support/parse-replies.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import type { StartedServer } from '../support/start-server.ts';
import { showExpected, showSeen } from './compare-requests.ts';
import { decodeBytes } from './decode-bytes.ts';
import { type CaseOutcome, exchangeCase } from './exchange-case.ts';
import { joinSteps, type RequestSidecar, readRequestCases, titleCase } from './read-corpus.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';
import { planSplits } from './split-plan.ts';
import { awaitReplies, waitOnSocket } from './wait-on-socket.ts';
import { awaitCodes, expectHealth, readCodes, secret, startWireServer } from './wire-server.ts';

const randomSplits = 10;
let server: StartedServer;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  server = await startWireServer(upstream.port, upstream.port);
});

afterAll(() => expectHealth(server));

describe('a request of the corpus', () => {
  const cases = readRequestCases().map((wireCase) => [titleCase(wireCase), wireCase] as const);
  test.each(cases)('%s', async (_, { sidecar, steps, name }) => {
    const askNeighbour = await openNeighbour();
    upstream.clear();
    const logStart = server.process.stderr.length;
    const plans = planSplits(name, joinSteps(steps).length, randomSplits);
    // All are over before a failure is reported, so that it does not become the next case's.
    const settled = await Promise.allSettled(
      plans.map((plan) => exchangeCase(server.port, steps, plan, sidecar)),
    );
    const outcomes = settled.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    });
    for (const [i, outcome] of outcomes.entries()) checkOutcome(outcome, sidecar, plans[i].name);
    await checkUpstream(sidecar, plans.length);
    await checkLog(sidecar, logStart, plans.length);
    await askNeighbour();
  });
});

describe('a client that leaves', () => {
  const requests = {
    'a body by length': 'POST /up/a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n0123456789',
    'a chunked body':
      'POST /up/a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n01234\r\n0\r\nX-A: b\r\n\r\n',
    'a request that expects 100':
      'PUT /up/a HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  };

  test.each(Object.entries(requests))(
    'V20: inside %s, by an end at any byte, gets no answer but a refusal, and the upstream no request',
    async (_, request) => {
      const askNeighbour = await openNeighbour();
      upstream.clear();
      const lengths = Array.from({ length: request.length }, (_, length) => length);
      const outcomes = await Promise.all(lengths.map((length) => endAfter(request.slice(0, length))));
      for (const [length, { replies, closedBy }] of outcomes.entries()) {
        const finals = replies.filter((status) => status !== 100);
        expect([[], [400], [408]], `behind ${length} bytes`).toContainEqual(finals);
        expect(closedBy, `behind ${length} bytes`).not.toBe(null);
      }
      expect(upstream.requests).toEqual([]);
      await askNeighbour();
    },
  );

  test.each(Object.entries(requests))(
    'T1: inside %s, by a reset at any byte, harms nobody',
    async (_, request) => {
      const askNeighbour = await openNeighbour();
      upstream.clear();
      for (let length = 0; length < request.length; length++) {
        const raw = await openRawSocket(server.port);
        raw.socket.write(request.slice(0, length), () => raw.socket.resetAndDestroy());
      }
      await askNeighbour();
      expect(upstream.requests).toEqual([]);
    },
  );
});

async function endAfter(bytes: string): Promise<{ replies: number[]; closedBy: 'end' | 'reset' | null }> {
  const raw = await openRawSocket(server.port);
  raw.socket.end(bytes, 'latin1');
  await waitOnSocket(raw, 'the server closes too', () => raw.closedBy !== null);
  const replies = parseReplies(raw.received, ['POST'], true);
  raw.destroy();
  return { replies: replies.map(({ status }) => status), closedBy: raw.closedBy };
}

/** A connection that was there before, and is to be served as if nothing had happened. */
async function openNeighbour(): Promise<() => Promise<void>> {
  const raw = await openRawSocket(server.port);
  const ask = async (count: number): Promise<void> => {
    await raw.send('GET /fixed HTTP/1.1\r\nHost: neighbour\r\n\r\n');
    const replies = await awaitReplies(raw, count);
    expect(
      replies.map((reply) => reply.body.toString()),
      'the neighbour',
    ).toEqual(Array(count).fill('fixed\n'));
  };
  await ask(1);
  return async () => {
    await ask(2);
    raw.destroy();
  };
}

function checkOutcome(outcome: CaseOutcome, sidecar: RequestSidecar, sent: string): void {
  const { replies, connection, received } = outcome;
  const statuses = replies.map((reply) => reply.status);
  expect({ statuses, connection }, sent).toEqual({
    statuses: sidecar.replies,
    connection: sidecar.connection,
  });
  expect(received.includes(secret), `the secret is in the answer (${sent})`).toBe(false);
  for (const [i, body] of (sidecar.bodies ?? []).entries()) {
    if (body !== null)
      expect(replies[i].body.toString('latin1'), sent).toBe(decodeBytes(body).toString('latin1'));
  }
  for (const [i, values] of (sidecar.fields ?? []).entries()) {
    const found = Object.keys(values).map((name) => [name, readField(replies[i], name) ?? null]);
    expect(Object.fromEntries(found), sent).toEqual(values);
  }
}

/**
 * Each sending has shown the upstream what the sidecar says. One more request through the pool brings to light what
 * may lie in its connections.
 */
async function checkUpstream(sidecar: RequestSidecar, times: number): Promise<void> {
  const raw = await openRawSocket(server.port);
  await raw.send('GET /up/marker HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const [reply] = await awaitReplies(raw, 1);
  raw.destroy();
  expect(reply?.body.toString(), 'a request behind the case gets its own answer').toBe('GET /up/marker');
  const seen = upstream.requests.filter(({ head }) => head[0] !== 'GET /up/marker HTTP/1.1');
  const expected = Array(times).fill(sidecar.upstream).flat();
  expect(countEach(seen.map(showSeen)), 'the upstream saw').toEqual(countEach(expected.map(showExpected)));
  const fragments = upstream.fragments.map((fragment) => fragment.split(/\r?\n/)[0]);
  expect(
    fragments.filter((line) => !sidecar.cut.includes(line)),
    'the upstream saw parts of',
  ).toEqual([]);
}

function countEach(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

async function checkLog(sidecar: RequestSidecar, from: number, times: number): Promise<void> {
  const { log } = sidecar;
  const codes = log === undefined ? readCodes(server, from) : await awaitCodes(server, from, log, times);
  expect([...new Set(codes)], 'codes in the error log').toEqual(log === undefined ? [] : [log]);
}
