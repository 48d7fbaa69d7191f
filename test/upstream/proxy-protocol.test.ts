import { describe, expect, test } from 'vitest';
import { type ProxiedClient, toProxyHead } from '../../src/upstream/proxy-protocol.ts';

const client = (clientAddress: string, local = '192.0.2.1', peerAddress = clientAddress): ProxiedClient => ({
  clientAddress,
  connection: { peerAddress, peerPort: 4711, localAddress: local, localPort: 443 },
});
const text = (of: ProxiedClient) => toProxyHead('v1', of).toString('latin1');
const hex = (of: ProxiedClient) => toProxyHead('v2', of).toString('hex');

/** What version 2 begins with, here in the words of its document. */
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1').toString('hex');

describe('version 1 is a line', () => {
  test.each<[string, ProxiedClient, string]>([
    ['IPv4', client('203.0.113.9'), 'TCP4 203.0.113.9 192.0.2.1 4711 443'],
    ['IPv6', client('2001:db8::9', '2001:db8::1'), 'TCP6 2001:db8::9 2001:db8::1 4711 443'],
    ['both', client('2001:db8::9'), 'TCP6 2001:db8::9 ::ffff:192.0.2.1 4711 443'],
    [
      'a client behind a trusted proxy',
      client('203.0.113.9', '192.0.2.1', '192.0.2.7'),
      'TCP4 203.0.113.9 192.0.2.1 0 443',
    ],
    ['a link-local client', client('fe80::1%eth0', 'fe80::2%eth0'), 'TCP6 fe80::1 fe80::2 4711 443'],
    ['a unix socket', client('unix:', 'unix:/run/x.sock'), 'UNKNOWN'],
    [
      'a client that came over a unix socket',
      client('203.0.113.9', 'unix:/x', 'unix:'),
      'TCP4 203.0.113.9 0.0.0.0 0 0',
    ],
    ['what is no address', client('203.0.113.9 evil\r\n'), 'UNKNOWN'],
  ])('for %s', (_, of, expected) => {
    expect(text(of)).toBe(`PROXY ${expected}\r\n`);
  });
});

describe('version 2 is binary', () => {
  test.each<[string, ProxiedClient, string]>([
    ['IPv4', client('203.0.113.9'), '21 11 000c cb007109 c0000201 1267 01bb'],
    [
      'IPv6',
      client('2001:db8::9', '1:2:3:4:5:6:7:8'),
      '21 21 0024 20010db8000000000000000000000009 00010002000300040005000600070008 1267 01bb',
    ],
    [
      'both',
      client('::1'),
      '21 21 0024 00000000000000000000000000000001 00000000000000000000ffffc0000201 1267 01bb',
    ],
    [
      'a mapped address',
      client('64:ff9b::192.0.2.33', '::'),
      '21 21 0024 0064ff9b0000000000000000c0000221 00000000000000000000000000000000 1267 01bb',
    ],
    ['a unix socket', client('unix:'), '21 00 0000'],
  ])('for %s', (_, of, expected) => {
    expect(hex(of)).toBe(signature + expected.replaceAll(' ', ''));
  });
});
