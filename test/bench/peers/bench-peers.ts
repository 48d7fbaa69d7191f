// The servers that are measured side by side. Each is a row.

import { caddyPeer } from './caddy.ts';
import { haproxyPeer } from './haproxy.ts';
import { nginxPeer } from './nginx.ts';
import { nodeHttpPeer } from './node-http.ts';
import type { BenchPeer } from './peer.ts';
import { tsservePeer } from './tsserve.ts';

/** Everything that is measured; the first is ours, the second what the ratios are to. */
export const benchPeers: readonly BenchPeer[] = [
  tsservePeer,
  nginxPeer,
  haproxyPeer,
  caddyPeer,
  nodeHttpPeer,
];
