import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ProxyHead, parseProxyHead } from '../../src/listener/parse-proxy-head.ts';
import { toProxyHead } from '../../src/upstream/proxy-protocol.ts';
import { createBinaryHead, heads, ipv4Block, ipv6Block, signature } from './proxy-heads.ts';

const local = '203.0.113.9:4711 to 192.0.2.1:443';

/** What is read, as one text: "address:port to address:port", "nobody", "incomplete" or "invalid". */
function read(bytes: Buffer | string): string {
  const head = parseProxyHead(Buffer.from(bytes as string, 'latin1'));
  return typeof head === 'string' ? head : tell(head);
}

function tell({ ends }: ProxyHead): string {
  if (ends === null) return 'nobody';
  return `${ends.peerAddress}:${ends.peerPort} to ${ends.localAddress}:${ends.localPort}`;
}

describe('a line, version 1', () => {
  it.each([
    ['TCP4 203.0.113.9 192.0.2.1 4711 443', local],
    ['TCP4 255.255.255.255 255.255.255.255 65535 65535', '255.255.255.255:65535 to 255.255.255.255:65535'],
    ['TCP4 0.0.0.0 0.0.0.0 0 0', '0.0.0.0:0 to 0.0.0.0:0'],
    ['TCP6 2001:db8::9 2001:db8::1 4711 443', '2001:db8::9:4711 to 2001:db8::1:443'],
    ['TCP6 2001:DB8:0:0::9 ::ffff:192.0.2.1 1 2', '2001:db8::9:1 to 192.0.2.1:2'],
    ['UNKNOWN', 'nobody'],
    ['UNKNOWN ffff::1 whatever \0 follows', 'nobody'],
  ])('says %s', (line, expected) => {
    expect(read(`PROXY ${line}\r\n`)).toBe(expected);
    expect(read(`PROXY ${line}\r\nGET / HTTP/1.1\r\n`)).toBe(expected);
  });

  it.each([
    ['GET / HTTP/1.1\r\n'],
    ['proxy TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'],
    ['PROXY\r\n'],
    ['PROXY \r\n'],
    ['PROXY UNKNOWNN\r\n'],
    ['PROXY UNKNOWN\n'],
    ['PROXY UNKNOWN\r\r\n'],
    ['PROXY  TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 4711 443 \r\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 4711\r\n'],
    ['PROXY TCP4 203.0.113.9\t192.0.2.1 4711 443\r\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 65536 443\r\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 04711 443\r\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 -1 443\r\n'],
    ['PROXY TCP4 203.0.113.9 192.0.2.1 4711 1e3\r\n'],
    ['PROXY TCP4 203.0.113.256 192.0.2.1 4711 443\r\n'],
    ['PROXY TCP4 203.0.113.09 192.0.2.1 4711 443\r\n'],
    ['PROXY TCP4 2001:db8::9 2001:db8::1 4711 443\r\n'],
    ['PROXY TCP6 203.0.113.9 192.0.2.1 4711 443\r\n'],
    ['PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 443\r\n'],
    ['PROXY TCP6 2001:db8::9::1 2001:db8::1 4711 443\r\n'],
    ['PROXY UDP4 203.0.113.9 192.0.2.1 4711 443\r\n'],
    ['PROXY TCP4 unix: unix: 0 0\r\n'],
  ])('is refused as %j', (text) => {
    expect(read(text)).toBe('invalid');
  });

  it('has 107 bytes at the most, its end included', () => {
    const fill = (size: number) => `PROXY UNKNOWN ${'x'.repeat(size - 16)}\r\n`;
    expect(read(fill(107))).toBe('nobody');
    expect(read(fill(108))).toBe('invalid');
    expect(read(fill(107).slice(0, 106))).toBe('incomplete');
    expect(read(fill(109).slice(0, 107))).toBe('invalid');
  });
});

describe('a binary head, version 2', () => {
  it.each<[string, Buffer, string]>([
    ['IPv4', createBinaryHead(0x21, 0x11, ipv4Block), local],
    ['IPv4 that came by datagrams', createBinaryHead(0x21, 0x12, ipv4Block), local],
    ['IPv6', createBinaryHead(0x21, 0x21, ipv6Block), '2001:db8::9:4711 to 2001:db8::1:443'],
    [
      'IPv4 in IPv6',
      createBinaryHead(
        0x21,
        0x21,
        '00000000000000000000ffffcb007109 00000000000000000000ffffc0000201 1267 01bb',
      ),
      local,
    ],
    ['a unix socket', createBinaryHead(0x21, 0x31, Buffer.alloc(216, '\n')), 'unix::0 to unix::0'],
    ['no family', createBinaryHead(0x21, 0x00, ''), 'nobody'],
    ['no family, with extensions', createBinaryHead(0x21, 0x00, ipv4Block), 'nobody'],
    ['no transport', createBinaryHead(0x21, 0x10, ipv4Block), 'nobody'],
    ['the proxy itself', createBinaryHead(0x20, 0x11, ipv4Block), 'nobody'],
    ['the proxy itself, whatever the family', createBinaryHead(0x20, 0xff, ''), 'nobody'],
    ['IPv4 with extensions', createBinaryHead(0x21, 0x11, `${ipv4Block} ${'ff'.repeat(4084)}`), local],
  ])('says %s', (_, head, expected) => {
    expect(read(head)).toBe(expected);
    expect(parseProxyHead(Buffer.concat([head, Buffer.from('GET /')]))).toMatchObject({ size: head.length });
  });

  it.each<[string, Buffer]>([
    ['another version', createBinaryHead(0x11, 0x11, ipv4Block)],
    ['an unknown command', createBinaryHead(0x22, 0x11, ipv4Block)],
    ['an unknown family', createBinaryHead(0x21, 0x41, ipv4Block)],
    ['an unknown transport', createBinaryHead(0x21, 0x13, ipv4Block)],
    ['too few bytes for IPv4', createBinaryHead(0x21, 0x11, ipv4Block, 11)],
    ['too few bytes for IPv6', createBinaryHead(0x21, 0x21, ipv4Block)],
    ['too few bytes for unix sockets', createBinaryHead(0x21, 0x31, ipv6Block)],
    ['more than 4096 bytes', createBinaryHead(0x21, 0x11, ipv4Block, 4097)],
    ['more than 4096 bytes of the proxy itself', createBinaryHead(0x20, 0x00, '', 65_535)],
    ['a signature with a wrong end', Buffer.concat([signature.subarray(0, 11), Buffer.from('\r')])],
  ])('is refused for %s', (_, head) => {
    expect(read(head)).toBe('invalid');
  });
});

describe.each(heads)('%s', (_, head, client) => {
  it('is incomplete until its last byte, and then says the client', () => {
    for (let size = 0; size < head.length; size++)
      expect(parseProxyHead(head.subarray(0, size)), `${size} bytes`).toBe('incomplete');
    const whole = parseProxyHead(head);
    expect(whole).toMatchObject({ size: head.length });
    expect((whole as ProxyHead).ends?.peerAddress ?? null).toBe(client);
  });
});

const anyHead = fc.constantFrom(...heads.map(([, head]) => head));
/** Whatever bytes come, also such as look like a head for a while. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([signature, bytes])),
  fc.string({ maxLength: 120, unit: 'binary' }).map((text) => Buffer.from(`PROXY ${text}\r\n`)),
  fc
    .tuple(anyHead, fc.array(fc.tuple(fc.nat(240), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([head, changes]) => {
      const bytes = Buffer.from(head);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    }),
);

describe('whatever comes', () => {
  it('is a head with addresses that are addresses, or none', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const head = parseProxyHead(bytes);
        if (typeof head === 'string') return;
        expect(head.size).toBeLessThanOrEqual(Math.min(bytes.length, 16 + 4096));
        if (head.ends === null) return;
        const { peerAddress, localAddress, peerPort, localPort } = head.ends;
        for (const address of [peerAddress, localAddress])
          expect(address === 'unix:' || isIP(address) > 0, address).toBe(true);
        for (const port of [peerPort, localPort]) expect(port >= 0 && port <= 65_535).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('is judged the same whatever follows, and is never a head after it was refused', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        let settled: unknown = null;
        for (let size = 0; size <= bytes.length; size++) {
          const head = parseProxyHead(bytes.subarray(0, size));
          if (settled !== null) expect(head).toEqual(settled);
          else if (head !== 'incomplete') settled = head;
        }
      }),
      { numRuns: 300 },
    );
  });
});

it('what we send ourselves is understood, in both versions', () => {
  const port = fc.nat(65_535);
  const ends = fc.oneof(
    fc.tuple(fc.ipV4(), fc.ipV4(), port, port),
    fc.tuple(fc.ipV6(), fc.ipV6(), port, port),
    fc.tuple(fc.ipV6(), fc.ipV4(), port, port),
  );
  fc.assert(
    fc.property(ends, fc.constantFrom('v1', 'v2'), ([source, target, peerPort, localPort], version) => {
      const connection = { peerAddress: source, peerPort, localAddress: target, localPort };
      const bytes = toProxyHead(version as 'v1' | 'v2', { clientAddress: source, connection });
      const head = parseProxyHead(bytes) as ProxyHead;
      expect(head.size).toBe(bytes.length);
      const toPlain = (address: string) => (address.includes(':') ? toShortest(address) : address);
      expect(head.ends).toEqual({
        peerAddress: toPlain(source),
        peerPort,
        localAddress: toPlain(target),
        localPort,
      });
    }),
  );
});

function toShortest(address: string): string {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(text);
  if (mapped === null) return text;
  const [high, low] = mapped.slice(1).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
