// A peer as a status page shows it.

import type { PeerCounts } from './peer-counters.ts';
import type { Circuit } from './peer-health.ts';
import type { PeerSlot } from './peer-slot.ts';

/** One peer of one upstream at one moment. */
export interface PeerSnapshot {
  readonly address: string;
  /** `out`: failures, health checks or its answers keep requests away; `checking`: its first check is not over. */
  readonly state: 'up' | 'out' | 'checking' | 'drain' | 'down';
  /** What requests have shown. */
  readonly circuit: Circuit;
  /** What health checks have shown; null without any. */
  readonly check: 'up' | 'down' | 'checking' | null;
  /** Whether its answers keep requests away. */
  readonly ejected: boolean;
  readonly backup: boolean;
  readonly weight: number;
  readonly inFlight: number;
  readonly idle: number;
  readonly requests: number;
  readonly failures: number;
  /** Mean time until its response begins, in milliseconds; 0 while nothing is known. */
  readonly responseMs: number;
  readonly counters: PeerCounts;
}

/** Takes down how a peer is. A peer that is alone is never out. */
export function takeSnapshot(slot: PeerSlot, isAlone: boolean, nowMs: number): PeerSnapshot {
  const { peer, check, outlier, backup, weight } = slot;
  return {
    address: peer.name,
    state: findState(slot, isAlone, nowMs),
    circuit: peer.health.getCircuit(nowMs),
    check: check?.state ?? null,
    ejected: outlier?.isEjected(nowMs) ?? false,
    backup,
    weight,
    inFlight: peer.inFlight,
    idle: peer.idleCount,
    requests: peer.requests,
    failures: peer.failures,
    responseMs: peer.responseTime.getMean(nowMs),
    counters: { ...peer.counters },
  };
}

function findState(slot: PeerSlot, isAlone: boolean, nowMs: number): PeerSnapshot['state'] {
  if (slot.down) return 'down';
  if (slot.isChecking) return 'checking';
  if (!isAlone && !slot.isAvailable(nowMs)) return 'out';
  return slot.drain ? 'drain' : 'up';
}
