import { describe, expect, test } from 'vitest';
import { compileIpRanges } from '../../src/base/ip-ranges.ts';
import { findClientAddress } from '../../src/message/forwarded.ts';

const isTrusted = compileIpRanges(['10.0.0.0/8', '127.0.0.1', '::1']);

describe('T18: the client behind', () => {
  test.each<[string, string, string[], string]>([
    ['a stranger that claims another address', '203.0.113.9', ['1.1.1.1'], '203.0.113.9'],
    ['a trusted proxy', '10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['a trusted proxy that says nothing', '10.0.0.1', [], '10.0.0.1'],
    ['two trusted proxies', '10.0.0.1', ['203.0.113.9, 10.0.0.2'], '203.0.113.9'],
    ['a proxy that appended to a forged list', '10.0.0.1', ['1.1.1.1, 203.0.113.9'], '203.0.113.9'],
    ['a list on two lines', '10.0.0.1', ['1.1.1.1', '203.0.113.9', '10.0.0.2'], '203.0.113.9'],
    ['proxies that are all trusted', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    ['an entry that is no address', '10.0.0.1', ['203.0.113.9, unknown, 10.0.0.2'], '10.0.0.2'],
    ['an empty entry', '10.0.0.1', ['203.0.113.9, '], '10.0.0.1'],
    ['an entry with a port', '10.0.0.1', ['203.0.113.9:4711'], '203.0.113.9'],
    ['an IPv6 entry', '10.0.0.1', ['2001:db8::1'], '2001:db8::1'],
    ['an IPv6 entry with a port', '10.0.0.1', ['[2001:db8::1]:80, [::1]'], '2001:db8::1'],
    ['a mapped entry', '::ffff:127.0.0.1', ['::ffff:203.0.113.9'], '203.0.113.9'],
  ])('%s', (_, peer, lines, expected) => {
    const fields = lines.flatMap((line) => ['X-Forwarded-For', line]);
    expect(findClientAddress(peer, fields, isTrusted)).toBe(expected);
  });
});
