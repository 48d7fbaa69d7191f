// The corpus of test/wire against the parsers alone, split at every byte: whatever the network does to a request, it
// is read, or refused with the same code.

import { describe, expect, test } from 'vitest';
import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { HttpError } from '../../src/message/http-error.ts';
import { joinSteps, readRequestCases, titleCase } from '../wire/read-corpus.ts';
import { planSplits } from '../wire/split-plan.ts';

const limits = { head: 16 * 1024, fields: 100, target: 8 * 1024 };

/** Codes that these parsers give; others are given further on. */
const parserCodes =
  /^TSS_(?:REQUEST_|HTTP_VERSION|FIELD_|HOST|CONTENT_|TRANSFER_|CHUNK_|EXPECT|HEAD_TOO_LARGE|TARGET_)/;

/** Above this many bytes a case is split at some places only. */
const maxBytesSplitEverywhere = 700;

/** Reads request after request as a connection does, and gives the code of the first fault, or "" for none. */
function readParts(parts: readonly Buffer[]): string {
  const heads = new HeadReader(limits);
  let decoder: ChunkedDecoder | null = null;
  let remaining = 0;
  try {
    for (const part of parts) {
      let input: Buffer | null = Buffer.from(part);
      while (input !== null && input.length > 0) {
        if (decoder !== null) {
          decoder.decode(input);
          input = input.subarray(decoder.consumed);
          if (decoder.done) decoder = null;
        } else if (remaining > 0) {
          const size = Math.min(remaining, input.length);
          remaining -= size;
          input = input.subarray(size);
        } else {
          heads.push(Buffer.from(input).toString('latin1'));
          const request = heads.read();
          if (request === null) break;
          if (request.framing.length === null) decoder = new ChunkedDecoder(limits);
          else remaining = request.framing.length;
          input = heads.takeRest();
        }
      }
    }
    return '';
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return error.code;
  }
}

/** Every way of cutting the bytes in two, and some of cutting them in more. */
function listCuts(name: string, length: number): number[][] {
  const random = planSplits(name, length, 10).map(({ cuts }) => [...cuts]);
  if (length > maxBytesSplitEverywhere) return random;
  return [...random, ...Array.from({ length }, (_, cut) => [cut])];
}

describe('the requests of the wire corpus', () => {
  const cases = readRequestCases().map((wireCase) => [titleCase(wireCase), wireCase] as const);
  test.each(cases)('%s, split at every byte', (_, { name, steps, sidecar }) => {
    const bytes = joinSteps(steps);
    const codes = new Set<string>();
    for (const cuts of listCuts(name, bytes.length)) {
      const ends = [0, ...cuts, bytes.length];
      codes.add(readParts(ends.slice(1).map((end, i) => bytes.subarray(ends[i], end))));
    }
    const { log = '' } = sidecar;
    const isRefusedHere = parserCodes.test(log) || bytes.toString('latin1').startsWith('CONNECT ');
    expect([...codes]).toEqual([isRefusedHere ? log : '']);
  });
});
