import { describe, expect, it } from 'vitest';
import { allowsRange, evaluatePreconditions, isConditional } from '../../src/message/conditional.ts';
import { hasEntityTag } from '../../src/message/entity-tag.ts';
import { toHttpDate } from '../../src/message/http-date.ts';

const at = 1_700_000_000;
const current = { entityTag: '"v1"', lastModified: at };
const weak = { entityTag: 'W/"v1"', lastModified: at };
const none = { entityTag: null, lastModified: null };

describe('hasEntityTag', () => {
  it.each([
    ['"v1"', 'strong', true],
    ['"a", "v1"', 'strong', true],
    ['"a","b","v1","c"', 'strong', true],
    ['W/"v1"', 'strong', false],
    ['W/"v1"', 'weak', true],
    [', ,"v1"', 'weak', true],
    ['"a,b", "v1"', 'weak', true],
    ['"a", "V1"', 'weak', false],
    ['w/"v1"', 'weak', false],
    ['v1', 'weak', false],
    ['"v1', 'weak', false],
    ['"x" "v1"', 'weak', false],
    ['nonsense, "v1"', 'weak', false],
    ['', 'weak', false],
  ] as const)('%j, %s comparison: %s', (list, comparison, expected) => {
    expect(hasEntityTag(list, '"v1"', comparison)).toBe(expected);
  });

  it('never finds a weak tag by strong comparison', () => {
    expect(hasEntityTag('W/"v1", "v1"', 'W/"v1"', 'strong')).toBe(false);
    expect(hasEntityTag('"v1"', 'W/"v1"', 'weak')).toBe(true);
  });

  it('V19: takes linear time for a hostile list', () => {
    const startedAtMs = performance.now();
    for (const list of [' '.repeat(65_536), ','.repeat(65_536), '"'.repeat(65_536), '"a" '.repeat(16_384)]) {
      expect(hasEntityTag(list, '"v1"', 'weak')).toBe(false);
    }
    expect(performance.now() - startedAtMs).toBeLessThan(100);
  });
});

describe('evaluatePreconditions', () => {
  it.each([
    [[], current, 'proceed'],
    [['If-Match', '"v1"'], current, 'proceed'],
    [['If-Match', '"v2"'], current, 'failed'],
    [['If-Match', 'W/"v1"'], weak, 'failed'],
    [['If-Match', '*'], none, 'proceed'],
    [['If-Match', '"v1"'], none, 'failed'],
    [['If-Match', '"a"', 'if-match', '"v1"'], current, 'proceed'],
    [['If-Unmodified-Since', toHttpDate(at)], current, 'proceed'],
    [['If-Unmodified-Since', toHttpDate(at - 1)], current, 'failed'],
    [['If-Unmodified-Since', toHttpDate(at - 1)], none, 'proceed'],
    [['If-Unmodified-Since', 'x'], current, 'proceed'],
    [['If-Match', '"v1"', 'If-Unmodified-Since', toHttpDate(at - 1)], current, 'proceed'],
    [['If-None-Match', '"v1"'], current, 'not-modified'],
    [['If-None-Match', '"v1"'], weak, 'not-modified'],
    [['If-None-Match', '"v2"'], current, 'proceed'],
    [['If-None-Match', '"v1"'], none, 'proceed'],
    [['If-None-Match', '*'], none, 'not-modified'],
    [['If-None-Match', '"v2"', 'If-Modified-Since', toHttpDate(at)], current, 'proceed'],
    [['If-Modified-Since', toHttpDate(at)], current, 'not-modified'],
    [['If-Modified-Since', toHttpDate(at + 9)], current, 'not-modified'],
    [['If-Modified-Since', toHttpDate(at - 1)], current, 'proceed'],
    [['If-Modified-Since', toHttpDate(at)], none, 'proceed'],
    [['If-Modified-Since', toHttpDate(at), 'If-Modified-Since', toHttpDate(at)], current, 'proceed'],
    [['If-Match', '"v2"', 'If-None-Match', '"v1"'], current, 'failed'],
  ] as const)('%j', (fields, validators, expected) => {
    expect(evaluatePreconditions([...fields], validators)).toBe(expected);
  });
});

describe('allowsRange', () => {
  const nowSeconds = Math.floor(Date.now() / 1000);

  it.each([
    [[], current, true],
    [['If-Range', '"v1"'], current, true],
    [['If-Range', '"v2"'], current, false],
    [['If-Range', 'W/"v1"'], weak, false],
    [['If-Range', '"v1"'], none, false],
    [['If-Range', '"v1", "v1"'], current, false],
    [['If-Range', toHttpDate(at)], current, true],
    [['If-Range', toHttpDate(at + 1)], current, false],
    [['If-Range', toHttpDate(nowSeconds)], { entityTag: null, lastModified: nowSeconds }, false],
    [['If-Range', ''], current, false],
  ] as const)('%j', (fields, validators, expected) => {
    expect(allowsRange([...fields], validators)).toBe(expected);
  });
});

describe('isConditional', () => {
  it.each([
    'Range',
    'RANGE',
    'If-Match',
    'if-none-match',
    'IF-MODIFIED-SINCE',
    'If-Unmodified-Since',
    'If-Range',
  ])('%s needs a look', (name) => {
    expect(isConditional(['Host', 'x', name, 'x'])).toBe(true);
  });

  it('other fields do not', () => {
    expect(
      isConditional(['Host', 'x', 'Referer', 'x', 'Refer', 'x', 'I', 'x', '', 'x', 'Accept', 'Range']),
    ).toBe(false);
  });
});
