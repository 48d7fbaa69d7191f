// Chooses what of a file a request gets: all of it, a range or several, "not modified", or a refusal.

import { allowsRange, evaluatePreconditions } from '../../message/conditional.ts';
import type { Exchange } from '../../message/exchange.ts';
import { joinField } from '../../message/fields.ts';
import { type ByteRange, parseRanges } from '../../message/range.ts';
import { Reply } from '../../message/reply.ts';
import { frameByteRanges } from './byte-ranges.ts';
import { createFileFields } from './representation.ts';
import type { ServedFile } from './served-file.ts';

/** Answers a GET or HEAD from a file: 200, 206, 304, 412 or 416, in the order of RFC 9110 13.2.2. */
export function answerFile(exchange: Exchange, file: ServedFile): Reply {
  const { fields } = exchange;
  switch (evaluatePreconditions(fields, file.representation)) {
    case 'not-modified':
      return file.createNotModified();
    case 'failed':
      file.discard();
      return new Reply(412, [], null);
    case 'proceed':
      break;
  }
  if (exchange.method === 'HEAD') return file.createHead();
  const range = joinField(fields, 'range');
  return range === undefined ? file.createWhole() : answerRange(exchange, file, range);
}

function answerRange(exchange: Exchange, file: ServedFile, value: string): Reply {
  const { representation } = file;
  const ranges = parseRanges(value, representation.size);
  if (ranges === null || !allowsRange(exchange.fields, representation)) return file.createWhole();
  if (ranges === 'unsatisfiable') {
    file.discard();
    return new Reply(416, ['Content-Range', `bytes */${representation.size}`], null);
  }
  return ranges.length === 1 ? createPartReply(file, ranges[0]) : createPartsReply(file, ranges);
}

function createPartReply(file: ServedFile, range: ByteRange): Reply {
  const { first, last } = range;
  const fields = createFileFields(file.representation);
  fields.push('Content-Range', `bytes ${first}-${last}/${file.representation.size}`);
  return new Reply(206, fields, file.createPart(first, last - first + 1));
}

function createPartsReply(file: ServedFile, ranges: readonly ByteRange[]): Reply {
  const { representation } = file;
  const frame = frameByteRanges(ranges, representation.mediaType, representation.size);
  const fields = createFileFields({ ...representation, mediaType: frame.mediaType });
  return new Reply(206, fields, file.createParts(frame, ranges));
}
