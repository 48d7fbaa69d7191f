// The only Upgrade that is passed on: a WebSocket handshake (RFC 6455 4). Anything less than a proper one is an
// ordinary request, and its Upgrade field is dropped with the other fields of this hop.

import { createHash } from 'node:crypto';
import type { Exchange } from '../../message/exchange.ts';
import { type Fields, hasToken, isFieldName, joinField } from '../../message/fields.ts';

const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The key of a proper handshake, or null for any other request. */
export function findWebSocketKey(exchange: Exchange): string | null {
  const { body, fields, httpVersion, method } = exchange;
  if (method !== 'GET' || httpVersion !== '1.1' || body.length !== 0) return null;
  const upgrade = joinField(fields, 'upgrade');
  if (upgrade === undefined || upgrade.toLowerCase() !== 'websocket') return null;
  if (!hasToken(joinField(fields, 'connection') ?? '', 'upgrade')) return null;
  if (findSingle(fields, 'sec-websocket-version') !== '13') return null;
  const key = findSingle(fields, 'sec-websocket-key');
  // 16 bytes in base64, spelled in the one canonical way.
  if (key === null || Buffer.from(key, 'base64').toString('base64') !== key) return null;
  return Buffer.byteLength(key, 'base64') === 16 ? key : null;
}

/** Whether a 101 answers that handshake: an upgrade to WebSocket with the right Sec-WebSocket-Accept. */
export function isHandshakeAccepted(fields: Fields, key: string): boolean {
  return (
    joinField(fields, 'upgrade')?.toLowerCase() === 'websocket' &&
    hasToken(joinField(fields, 'connection') ?? '', 'upgrade') &&
    findSingle(fields, 'sec-websocket-accept') ===
      createHash('sha1')
        .update(key + acceptGuid)
        .digest('base64')
  );
}

/** The value of a field that is there exactly once. */
function findSingle(fields: Fields, lowerName: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (!isFieldName(fields[i], lowerName)) continue;
    if (found !== null) return null;
    found = fields[i + 1];
  }
  return found;
}
