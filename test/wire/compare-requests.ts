// What an upstream saw and what a sidecar says it saw, in one comparable form.

import { decodeBytes } from './decode-bytes.ts';
import { readValue, type SeenRequest } from './split-requests.ts';

/** Stands in a sidecar for the fields that every proxied request gets. */
const forwardingLine = '{forwarding}';

/** A request that an upstream saw. Only the request id, which is random, is taken out. */
export function showSeen({ head, body }: SeenRequest): string {
  const lines = head.map((line) => line.replace(/^(x-request-id: )[0-9a-f]{32}$/i, '$1{id}'));
  return `${lines.join('\n')}\n\n${body}`;
}

/** A request as a sidecar expects it. */
export function showExpected({ head, body }: SeenRequest): string {
  const lines = head.flatMap((line) => (line === forwardingLine ? listForwarding(head) : [line]));
  return `${lines.join('\n')}\n\n${decodeBytes(body).toString('latin1')}`;
}

function listForwarding(head: readonly string[]): string[] {
  return [
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
    `X-Forwarded-Host: ${readValue(head, 'host')}`,
    'X-Real-IP: 127.0.0.1',
    'X-Request-Id: {id}',
  ];
}
