// Who the client is, behind proxies that are trusted to say so. Nothing that a stranger wrote is ever believed:
// X-Forwarded-For is read from the right, where the nearest proxy wrote, and only as far as trust reaches.

import { type IpRangeTest, parseIpAddress } from '../base/ip-ranges.ts';
import { type Fields, joinField } from './fields.ts';

/**
 * The address of the client: the right-most untrusted one of X-Forwarded-For, if the peer itself is trusted; else the
 * peer's. What is no address ends the search at the trusted proxy that wrote it.
 */
export function findClientAddress(peerAddress: string, fields: Fields, isTrusted: IpRangeTest): string {
  if (!isTrusted(peerAddress)) return peerAddress;
  const chain = joinField(fields, 'x-forwarded-for');
  if (chain === undefined) return peerAddress;
  const entries = chain.split(',');
  let client = peerAddress;
  for (let i = entries.length - 1; i >= 0; i--) {
    const address = cutPort(entries[i].trim());
    if (parseIpAddress(address) === null) break;
    client = address;
    if (!isTrusted(address)) break;
  }
  return client;
}

/** "1.2.3.4:80" -> "1.2.3.4", "[::1]:80" -> "::1", "::ffff:1.2.3.4" -> "1.2.3.4"; anything else as it is. */
function cutPort(entry: string): string {
  const literal = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(entry);
  if (literal !== null) return cutMapping(literal[1]);
  const colon = entry.indexOf(':');
  if (colon !== -1 && colon === entry.lastIndexOf(':') && /^[0-9]{1,5}$/.test(entry.slice(colon + 1))) {
    return entry.slice(0, colon);
  }
  return cutMapping(entry);
}

function cutMapping(address: string): string {
  return /^::ffff:[0-9.]+$/i.test(address) ? address.slice(7) : address;
}
