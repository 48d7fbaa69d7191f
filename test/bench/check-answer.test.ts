import { describe, expect, test } from 'vitest';
import type { RawReply } from '../support/parse-replies.ts';
import { findDifference } from './check-answer.ts';

const body = Buffer.from('hello');
const reply: RawReply = {
  status: 200,
  reason: 'OK',
  version: 'HTTP/1.1',
  fields: [['Content-Length', '5']],
  body,
  complete: true,
};

describe('an answer', () => {
  test('is right when status and bytes are', () => {
    expect(findDifference(reply, { status: 200, body })).toBeNull();
    expect(findDifference(reply, { status: 200, body: null })).toBeNull();
    const typed = { ...reply, fields: [['content-type', 'text/Plain']] as const };
    expect(findDifference(typed, { status: 200, body, type: 'text/plain' })).toBeNull();
    const last = { ...reply, fields: [['Connection', 'close']] as const };
    expect(findDifference(last, { status: 200, body, closes: true })).toBeNull();
  });

  test.each([
    ['another status', { status: 404 }, {}, 'status 404, not 200'],
    ['a body that is cut', { complete: false }, {}, 'the body is cut'],
    ['another length', { body: Buffer.from('hell') }, {}, '4 bytes, not 5'],
    ['other bytes', { body: Buffer.from('hallo') }, {}, 'other bytes'],
    ['an end where none was asked for', { fields: [['Connection', 'close']] as const }, {}, 'Connection'],
    ['no end where one was', {}, { closes: true }, 'Connection'],
    ['another media type', {}, { type: 'text/plain' }, 'Content-Type: undefined'],
    ['a 304 without ETag', { status: 304 }, { status: 304, body: null }, 'a 304 without ETag'],
  ])('is wrong with %s', (_, different, expected, sentence) => {
    const difference = findDifference({ ...reply, ...different }, { status: 200, body, ...expected });
    expect(difference).toContain(sentence);
  });
});
