// The head of the PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt has them: with it a proxy says whose
// connection it passes on. Pure, and strict; who may send one, and when it has to be there, is the listener's to know.

import { parseIpAddress } from '../base/ip-ranges.ts';
import type { ConnectionFacts } from '../message/exchange.ts';

/** The two ends of the connection that a proxy passes on. */
export type ProxiedEnds = Pick<ConnectionFacts, 'peerAddress' | 'peerPort' | 'localAddress' | 'localPort'>;

/** A whole head. */
export interface ProxyHead {
  /** Its bytes: what comes behind them is the client's. */
  readonly size: number;
  /** Null when the connection is the proxy's own, or it does not know whose: then what the socket says counts. */
  readonly ends: ProxiedEnds | null;
}

/** Bytes of the longest line of version 1, line end included. */
const maxLineBytes = 107;

/** Bytes behind the fixed part of version 2: 216 are the most that addresses take, the others are extensions. */
export const maxExtensionBytes = 4096;

const lineStart = Buffer.from('PROXY ', 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = signature.length + 4;

const mappedPrefix = '0:0:0:0:0:ffff:';
const unixEnds: ProxiedEnds = { peerAddress: 'unix:', peerPort: 0, localAddress: 'unix:', localPort: 0 };

/** Reads the head that a connection begins with. What can become none is invalid with its first wrong byte. */
export function parseProxyHead(bytes: Buffer): ProxyHead | 'incomplete' | 'invalid' {
  if (isBegunWith(bytes, lineStart)) return parseLine(bytes);
  if (isBegunWith(bytes, signature)) return parseBinary(bytes);
  return 'invalid';
}

/** Whether the bytes begin with `start`, or are the beginning of it. */
function isBegunWith(bytes: Buffer, start: Buffer): boolean {
  const size = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, size, 0, size) === 0;
}

function parseLine(bytes: Buffer): ProxyHead | 'incomplete' | 'invalid' {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, maxLineBytes));
  const end = text.search(/[\r\n]/);
  if (end === -1 || (end === text.length - 1 && text[end] === '\r'))
    return text.length < maxLineBytes ? 'incomplete' : 'invalid';
  if (!text.startsWith('\r\n', end)) return 'invalid';
  const line = text.slice(0, end);
  // What else stands in a line about an unknown connection is to be ignored.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { size: end + 2, ends: null };
  const ends = parseLineEnds(line.split(' '));
  return ends === null ? 'invalid' : { size: end + 2, ends };
}

function parseLineEnds(words: readonly string[]): ProxiedEnds | null {
  if (words.length !== 6) return null;
  const [, family, source, target, sourcePort, targetPort] = words;
  const peerAddress = parseAddress(family, source);
  const localAddress = parseAddress(family, target);
  const peerPort = parsePort(sourcePort);
  const localPort = parsePort(targetPort);
  if (peerAddress === null || localAddress === null || peerPort === null || localPort === null) return null;
  return { peerAddress, peerPort, localAddress, localPort };
}

function parseAddress(family: string, text: string): string | null {
  const isKnown = text.includes(':') ? family === 'TCP6' : family === 'TCP4';
  // A zone means nothing beyond the machine that knows it.
  if (!isKnown || text.includes('%')) return null;
  const bytes = parseIpAddress(text);
  return bytes === null ? null : toAddressText(Buffer.from(bytes));
}

function parsePort(digits: string): number | null {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(digits)) return null;
  const port = Number(digits);
  return port > 65_535 ? null : port;
}

function parseBinary(bytes: Buffer): ProxyHead | 'incomplete' | 'invalid' {
  if (bytes.length > 12 && bytes[12] !== 0x20 && bytes[12] !== 0x21) return 'invalid';
  if (bytes.length < fixedBytes) return 'incomplete';
  const length = bytes.readUInt16BE(14);
  if (length > maxExtensionBytes) return 'invalid';
  const isLocal = bytes[12] === 0x20;
  const family = bytes[13] >> 4;
  const transport = bytes[13] & 0x0f;
  // Of the proxy's own connection (a check) the rest says nothing.
  if (!isLocal && (family >= blockBytes.length || transport > 2 || length < blockBytes[family]))
    return 'invalid';
  const size = fixedBytes + length;
  if (bytes.length < size) return 'incomplete';
  return {
    size,
    ends: isLocal || transport === 0 ? null : readBlock(bytes.subarray(fixedBytes, size), family),
  };
}

/** Bytes of both addresses and ports, by family: unspecified, IPv4, IPv6, unix socket. */
const blockBytes = [0, 12, 36, 216];

function readBlock(block: Buffer, family: number): ProxiedEnds | null {
  if (family === 0) return null;
  // Paths of another machine, padded with what its memory held: nothing to show.
  if (family === 3) return unixEnds;
  const size = family === 1 ? 4 : 16;
  return {
    peerAddress: toAddressText(block.subarray(0, size)),
    peerPort: block.readUInt16BE(size * 2),
    localAddress: toAddressText(block.subarray(size, size * 2)),
    localPort: block.readUInt16BE(size * 2 + 2),
  };
}

/** As the system writes the addresses of its sockets: shortest form, and IPv4 in its own, also where it is mapped. */
function toAddressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(i).toString(16));
  const text = groups.join(':');
  if (text.startsWith(mappedPrefix)) return bytes.subarray(12).join('.');
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
