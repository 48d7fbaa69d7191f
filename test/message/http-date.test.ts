import { describe, expect, it } from 'vitest';
import { parseHttpDate, toHttpDate } from '../../src/message/http-date.ts';

const example = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;

describe('parseHttpDate', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', example],
    ['Sunday, 06-Nov-94 08:49:37 GMT', example],
    ['Sun Nov  6 08:49:37 1994', example],
    ['Thu, 29 Feb 2024 23:59:60 GMT', Date.UTC(2024, 2, 1) / 1000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Fri, 01 Jan 0099 00:00:00 GMT', new Date('0099-01-01T00:00:00Z').getTime() / 1000],
  ])('reads %j', (text, seconds) => {
    expect(parseHttpDate(text)).toBe(seconds);
  });

  it('takes a two-digit year far ahead for one of the past century', () => {
    const year = new Date().getUTCFullYear();
    const write = (full: number) => `Monday, 01-Jan-${String(full % 100).padStart(2, '0')} 00:00:00 GMT`;
    expect(parseHttpDate(write(year + 50))).toBe(Date.UTC(year + 50, 0, 1) / 1000);
    expect(parseHttpDate(write(year + 51))).toBe(Date.UTC(year - 49, 0, 1) / 1000);
  });

  it.each([
    '',
    '0',
    'yesterday',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'sun, 06 nov 1994 08:49:37 gmt',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    `Sun, 06 Nov 1994 08:49:37 GMT${' '.repeat(50_000)}`,
  ])('V20: does not take %j for a date', (text) => {
    expect(parseHttpDate(text)).toBeNull();
  });
});

describe('toHttpDate', () => {
  it('writes an IMF-fixdate that reads back', () => {
    expect(toHttpDate(example)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
    expect(parseHttpDate(toHttpDate(1_700_000_001))).toBe(1_700_000_001);
  });
});
