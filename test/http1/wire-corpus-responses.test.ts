// The responses of test/wire against the reader alone, split at every byte: whatever the network does to a response,
// it is read to the same end, or refused.

import { describe, expect, test } from 'vitest';
import { ClientResponseReader } from '../../src/http1/client-response-reader.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { decodeBytes } from '../wire/decode-bytes.ts';
import { joinSteps, type ResponseSidecar, readResponseCases, titleCase } from '../wire/read-corpus.ts';
import { planSplits } from '../wire/split-plan.ts';

const limits = { head: 64 * 1024, fields: 1000 };
const maxBytesSplitEverywhere = 700;

/** "refused", "incomplete", or "status body", with "surplus" if bytes came that belong to no response. */
function readParts(parts: readonly Buffer[], { method, afterwards }: ResponseSidecar): string {
  const reader = new ClientResponseReader(limits);
  reader.begin(method);
  let body = '';
  try {
    for (const part of parts) {
      // The payload is a part of the input, whose bytes are moved.
      if (part.length > 0) body += Buffer.from(reader.feed(Buffer.from(part))).toString('latin1');
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return 'refused';
  }
  const isComplete = afterwards === 'close' ? reader.end() : reader.complete;
  if (!isComplete) return 'incomplete';
  return `${reader.head?.status} ${body}${reader.surplus ? ' surplus' : ''}`;
}

/** What the sidecar, which speaks of a client, means for the reader. */
function expectResult({ log, status, body = '', promise = '' }: ResponseSidecar, found: string): string {
  if (log === 'TSS_UPSTREAM_RESPONSE') return 'refused';
  if (log === 'TSS_UPSTREAM_CLOSED') return 'incomplete';
  const hasSurplus = promise.startsWith('V4') && !found.endsWith('later-end');
  return `${status} ${decodeBytes(body).toString('latin1')}${hasSurplus ? ' surplus' : ''}`;
}

describe('the responses of the wire corpus', () => {
  const cases = readResponseCases()
    // A 205 with a body is read as it came; that the client gets none is the writer's part.
    .filter(({ name }) => name !== 'no-body/205-with-body')
    .map((wireCase) => [titleCase(wireCase), wireCase] as const);
  test.each(cases)('%s, split at every byte', (_, { name, steps, sidecar }) => {
    const bytes = joinSteps(steps);
    const cuts = planSplits(name, bytes.length, 10).map((plan) => [...plan.cuts]);
    if (bytes.length <= maxBytesSplitEverywhere) {
      for (let cut = 1; cut < bytes.length; cut++) cuts.push([cut]);
    }
    const results = new Set<string>();
    for (const each of cuts) {
      const ends = [0, ...each, bytes.length];
      results.add(
        readParts(
          ends.slice(1).map((end, i) => bytes.subarray(ends[i], end)),
          sidecar,
        ),
      );
    }
    expect([...results]).toEqual([expectResult(sidecar, name)]);
  });
});
