// The fields that an upstream gets: the client's without what ends at this hop, and what we say about the client.
// Nothing that an untrusted client says about itself passes, and nothing it says can remove what we say.

import type { Exchange } from '../../message/exchange.ts';
import { type Fields, getField, joinField } from '../../message/fields.ts';
import { isDroppedFromRequest, isForwardingField, listNominated } from '../../message/passed-fields.ts';

/** What the rules of one route add to a request. */
export interface RequestFieldRules {
  /** The part of the path that the upstream does not see; "" for none. */
  readonly stripPrefix: string;
  /** Whether Forwarded is written, too. */
  readonly forwarded: boolean;
  readonly isTrusted: (address: string) => boolean;
}

/** The fields of a request for an upstream, Host first. What frames the message is left to the protocol room. */
export function createRequestFields(exchange: Exchange, host: string, rules: RequestFieldRules): Fields {
  const { connection, fields } = exchange;
  const isTrusted = rules.isTrusted(connection.peerAddress);
  const nominated = listNominated(fields);
  const kept: Fields = ['Host', host];
  for (let i = 0; i < fields.length; i += 2) {
    const lowerName = fields[i].toLowerCase();
    if (lowerName === 'host' || isDroppedFromRequest(lowerName)) continue;
    if (isForwardingField(lowerName)) {
      // Not even a trusted proxy's own request can have these nominated away by the client behind it.
      if (isTrusted && isPassedOn(lowerName, rules)) kept.push(fields[i], fields[i + 1]);
      continue;
    }
    if (nominated?.includes(lowerName)) continue;
    kept.push(fields[i], fields[i + 1]);
  }
  addForwardingFields(kept, exchange, isTrusted, rules);
  return kept;
}

/** What a trusted proxy said and we only repeat. The others are joined with what we say. */
function isPassedOn(lowerName: string, { stripPrefix }: RequestFieldRules): boolean {
  if (lowerName === 'x-forwarded-prefix') return stripPrefix === '';
  return lowerName !== 'x-forwarded-for' && lowerName !== 'x-real-ip' && lowerName !== 'forwarded';
}

function addForwardingFields(
  kept: Fields,
  exchange: Exchange,
  isTrusted: boolean,
  { stripPrefix, forwarded }: RequestFieldRules,
): void {
  const { connection, fields } = exchange;
  const { peerAddress, scheme } = connection;
  const chain = isTrusted ? joinField(fields, 'x-forwarded-for') : undefined;
  kept.push('X-Forwarded-For', chain === undefined ? peerAddress : `${chain}, ${peerAddress}`);
  if (!isTrusted || getField(fields, 'x-forwarded-proto') === undefined)
    kept.push('X-Forwarded-Proto', scheme);
  if (!isTrusted || getField(fields, 'x-forwarded-host') === undefined) {
    const host = getField(fields, 'host');
    if (host !== undefined) kept.push('X-Forwarded-Host', host);
  }
  if (stripPrefix !== '') kept.push('X-Forwarded-Prefix', stripPrefix);
  const nodes = isTrusted ? joinField(fields, 'forwarded') : undefined;
  if (nodes !== undefined || forwarded) {
    const element = renderForwarded(exchange, forwarded);
    kept.push('Forwarded', nodes === undefined ? element : `${nodes}, ${element}`);
  }
  kept.push('X-Real-IP', exchange.clientAddress, 'X-Request-Id', exchange.requestId);
}

/** What we add to Forwarded (RFC 7239 4). */
function renderForwarded({ connection, fields }: Exchange, isFull: boolean): string {
  const { peerAddress, scheme } = connection;
  const host = isFull ? getField(fields, 'host') : undefined;
  const hostPart = host === undefined ? '' : `;host="${host.replace(/["\\]/g, '\\$&')}"`;
  return `for=${toNode(peerAddress)}${hostPart};proto=${scheme}`;
}

/** A node of Forwarded (RFC 7239 6). */
function toNode(address: string): string {
  if (address.startsWith('unix:')) return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

/** Request line and fields as one latin1 string, without the empty line. */
export function renderRequestHead(method: string, target: string, fields: Fields): string {
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return head;
}
