import { describe, expect, test } from 'vitest';
import { compileIpRanges, isIpRange } from '../../src/base/ip-ranges.ts';

describe('a set of ranges', () => {
  const isInside = compileIpRanges(['10.0.0.0/8', '192.168.1.0/25', '127.0.0.1', '::1', 'fd00::/7', 'unix:']);

  test.each([
    '10.255.0.1',
    '192.168.1.127',
    '127.0.0.1',
    '::1',
    '0:0:0:0:0:0:0:1',
    'fc00::1',
    'FDff::',
    '::ffff:10.1.2.3',
    '::ffff:0a01:0203',
    'fe00::1'.replace('fe', 'fd'),
    'unix:',
  ])('holds %s', (address) => {
    expect(isInside(address)).toBe(true);
  });

  test.each([
    '11.0.0.1',
    '192.168.1.128',
    '127.0.0.2',
    '::2',
    'fe80::1',
    '::10.1.2.3',
    '::ffff:11.1.2.3',
    '010.0.0.1',
    '10.0.0',
    '10.0.0.1.1',
    '10.0.0.256',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    ':1',
    '10.0.0.1 ',
    '',
    'localhost',
  ])('V23: does not hold %j', (address) => {
    expect(isInside(address)).toBe(false);
  });

  test('V23: written as IPv4-mapped IPv6 holds IPv4 addresses', () => {
    const mapped = compileIpRanges(['::ffff:10.0.0.0/104']);
    expect([mapped('10.1.2.3'), mapped('::ffff:10.1.2.3'), mapped('11.1.2.3')]).toEqual([true, true, false]);
  });

  test('ignores the zone of a link-local address', () => {
    expect(compileIpRanges(['fe80::/10'])('fe80::1%eth0')).toBe(true);
  });

  test('may be everything, of both families', () => {
    expect(compileIpRanges(['0.0.0.0/0'])('1.2.3.4')).toBe(true);
    expect(compileIpRanges(['0.0.0.0/0'])('::1')).toBe(false);
    expect(compileIpRanges(['::/0'])('::1')).toBe(true);
  });

  test('may be empty', () => {
    expect(compileIpRanges([])('127.0.0.1')).toBe(false);
    expect(compileIpRanges(['127.0.0.1'])('unix:')).toBe(false);
  });
});

test.each([
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/08',
  '::/129',
  '10.0.0',
  'all',
  '',
  '1.2.3.4/',
  'fe80::1%lo',
])('%j is refused as a range', (entry) => {
  expect(isIpRange(entry)).toBe(false);
  expect(() => compileIpRanges([entry])).toThrow(JSON.stringify(entry));
});
