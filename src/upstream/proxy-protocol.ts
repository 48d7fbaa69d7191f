// The head of the PROXY protocol (versions 1 and 2, as HAProxy's proxy-protocol.txt has them): says to a server whose
// request the connection carries.

import { isIPv4, isIPv6 } from 'node:net';

/** One client's connection to us. */
export interface ProxiedClient {
  readonly clientAddress: string;
  readonly connection: {
    readonly peerAddress: string;
    readonly peerPort: number;
    readonly localAddress: string;
    readonly localPort: number;
  };
}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Version 2, command PROXY. */
const versionAndCommand = 0x21;
const families = { unknown: 0x00, tcp4: 0x11, tcp6: 0x21 } as const;

interface Ends {
  readonly family: 'TCP4' | 'TCP6';
  readonly source: string;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
}

/**
 * The bytes that a connection for this client begins with. The client is the one after the rules of trusted proxies;
 * its port is 0 when only such a proxy knows it. A client without an address (unix socket) is given as unknown.
 */
export function toProxyHead(version: 'v1' | 'v2', client: ProxiedClient): Buffer {
  const ends = findEnds(client);
  return version === 'v1' ? toTextHead(ends) : toBinaryHead(ends);
}

function findEnds({ clientAddress, connection }: ProxiedClient): Ends | null {
  const { peerAddress, peerPort, localAddress, localPort } = connection;
  const source = clientAddress;
  if (!(isIPv4(source) || isIPv6(source))) return null;
  const sourcePort = source === peerAddress ? peerPort : 0;
  // A client that a proxy on a socket told us of has come to no address of ours.
  const hasTarget = isIPv4(localAddress) || isIPv6(localAddress);
  const target = hasTarget ? localAddress : isIPv4(source) ? '0.0.0.0' : '::';
  const ends = { sourcePort, targetPort: hasTarget ? localPort : 0 };
  if (isIPv4(source) && isIPv4(target)) return { ...ends, family: 'TCP4', source, target };
  return { ...ends, family: 'TCP6', source: toIpv6(source), target: toIpv6(target) };
}

/** Without the zone of a link-local address, which means nothing elsewhere. */
function toIpv6(address: string): string {
  return isIPv4(address) ? `::ffff:${address}` : address.replace(/%.*$/, '');
}

function toTextHead(ends: Ends | null): Buffer {
  if (ends === null) return Buffer.from('PROXY UNKNOWN\r\n');
  const { family, source, target, sourcePort, targetPort } = ends;
  return Buffer.from(`PROXY ${family} ${source} ${target} ${sourcePort} ${targetPort}\r\n`);
}

function toBinaryHead(ends: Ends | null): Buffer {
  const addresses = ends === null ? Buffer.alloc(0) : toAddressBlock(ends);
  const family = ends === null ? families.unknown : ends.family === 'TCP4' ? families.tcp4 : families.tcp6;
  const head = Buffer.alloc(signature.length + 4);
  signature.copy(head);
  head[12] = versionAndCommand;
  head[13] = family;
  head.writeUInt16BE(addresses.length, 14);
  return Buffer.concat([head, addresses]);
}

function toAddressBlock({ family, source, target, sourcePort, targetPort }: Ends): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(targetPort, 2);
  const toBytes = family === 'TCP4' ? toIpv4Bytes : toIpv6Bytes;
  return Buffer.concat([toBytes(source), toBytes(target), ports]);
}

function toIpv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function toIpv6Bytes(address: string): Buffer {
  const [, mapped] = /:(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  const tail = mapped === undefined ? [] : toWords(toIpv4Bytes(mapped));
  const text = mapped === undefined ? address : address.slice(0, -mapped.length).replace(/([^:]):$/, '$1');
  const [before, after = ''] = text.split('::');
  const first = parseGroups(before);
  const last = [...parseGroups(after), ...tail];
  const words = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  const bytes = Buffer.alloc(16);
  for (const [i, word] of words.entries()) bytes.writeUInt16BE(word, i * 2);
  return bytes;
}

function parseGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function toWords(bytes: Buffer): number[] {
  return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
}
