// Heads of the PROXY protocol, made by the words of its document and by nothing of ours.

/** What version 2 begins with. */
export const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** A head of version 2. `length` is what it says of itself; by default the truth. */
export function createBinaryHead(
  command: number,
  family: number,
  block: Buffer | string,
  length?: number,
): Buffer {
  const bytes = typeof block === 'string' ? Buffer.from(block.replaceAll(' ', ''), 'hex') : block;
  const fixed = Buffer.from([command, family, 0, 0]);
  fixed.writeUInt16BE(length ?? bytes.length, 2);
  return Buffer.concat([signature, fixed, bytes]);
}

/** 203.0.113.9:4711 connected to 192.0.2.1:443. */
export const ipv4Block = 'cb007109 c0000201 1267 01bb';

/** [2001:db8::9]:4711 connected to [2001:db8::1]:443. */
export const ipv6Block = '20010db8000000000000000000000009 20010db8000000000000000000000001 1267 01bb';

/** A head of each kind, with the client that it names; null where it names none. */
export const heads: readonly [name: string, head: Buffer, client: string | null][] = [
  ['a line of IPv4', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'), '203.0.113.9'],
  ['a line of IPv6', Buffer.from('PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n'), '2001:db8::9'],
  ['a line of an unknown client', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['binary IPv4', createBinaryHead(0x21, 0x11, ipv4Block), '203.0.113.9'],
  ['binary IPv6', createBinaryHead(0x21, 0x21, ipv6Block), '2001:db8::9'],
  [
    'binary with extensions',
    createBinaryHead(0x21, 0x11, `${ipv4Block} 030004deadbeef 040000`),
    '203.0.113.9',
  ],
  ['a unix socket', createBinaryHead(0x21, 0x31, Buffer.alloc(216, '/run/x')), 'unix:'],
  ['a connection of the proxy itself', createBinaryHead(0x20, 0x00, ''), null],
];
